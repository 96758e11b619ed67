# SPDX-License-Identifier: GPL-3.0-or-later
"""The leash holds: whoever is killed, and whenever, a fault ends with its lease, and nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
from dhakacart_lab import process
from dhakacart_lab.faults.catalogue import heal, inject
from dhakacart_lab.faults.leash import JANITOR, WATCHDOG
from dhakacart_lab.faults.state import ActiveFault, active, record
from dhakacart_lab.lab import Lab
from dhakacart_lab.layout import LabError, lab_folder
from dhakacart_lab.residue import Snapshot, remaining, snapshot

NAME = "leash"
LEASE = 4.0
HEALING = 60.0
# For the table of figures: how many moments to be killed at.
MOMENTS = int(os.environ.get("DHAKACART_LEASH_KILLS", "4"))
FAULTS = ("endpoint-stale", "credentials-stale", "lock-pileup", "disk-full")
INJECT = """
import sys
from dhakacart_lab.faults.catalogue import inject
from dhakacart_lab.lab import Lab
lab = Lab.open(sys.argv[1])
print("ready", flush=True)
inject(lab, sys.argv[2], lease=float(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def leashed(lab_home: object) -> Iterator[Lab]:
    lab = Lab.up(NAME)
    yield lab
    if lab_folder(NAME).exists():
        lab.down()


@pytest.fixture
def before(leashed: Lab) -> Iterator[Snapshot]:
    heal(leashed)
    yield snapshot(leashed)
    heal(leashed)


def kill(lab: Lab, component: str) -> int:
    found = process.find(lab.layout, component)
    assert found is not None
    found.send_signal(signal.SIGKILL)
    return found.pid


def wait_until_healed(lab: Lab) -> None:
    process.wait_for("the end of the fault", lambda: not active(lab.layout), timeout=LEASE + HEALING, interval=0.2)


def revived(lab: Lab, component: str, old: int) -> None:
    def new() -> bool:
        found = process.find(lab.layout, component)
        return found is not None and found.pid != old

    process.wait_for(f"the new {component}", new, timeout=10)


def both_well(lab: Lab) -> bool:
    return all(part.healthy for part in lab.status() if part.name in (JANITOR, WATCHDOG))


@pytest.mark.parametrize("number", range(MOMENTS))
def test_an_injector_that_is_killed_at_any_moment_frees_nothing(number: int, leashed: Lab, before: Snapshot) -> None:
    choice = random.Random(number)
    fault = FAULTS[number % len(FAULTS)]
    with subprocess.Popen(
        [sys.executable, "-c", INJECT, NAME, fault, str(LEASE)], stdout=subprocess.PIPE, env=os.environ
    ) as injector:
        assert injector.stdout is not None
        injector.stdout.readline()
        time.sleep(choice.uniform(0.0, 1.5))
        injector.kill()
    time.sleep(0.2)
    wait_until_healed(leashed)
    assert remaining(leashed, before, within=30) == []


@pytest.mark.parametrize("component", [JANITOR, WATCHDOG])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_each_of_the_two_is_revived_by_the_other(component: str, how: signal.Signals, leashed: Lab) -> None:
    found = process.find(leashed.layout, component)
    assert found is not None
    found.send_signal(how)
    if how is signal.SIGKILL:
        revived(leashed, component, found.pid)
    else:
        # It takes effect a little later; looked at before, the process would seem to have been woken, and the next test
        # would stop the other one beside it. It may as well have been woken before it was seen.
        with contextlib.suppress(LabError):
            process.wait_for("the stop", lambda: found.status() == "stopped", timeout=1, interval=0.005)
        process.wait_for(f"{component} to be woken", lambda: found.status() != "stopped", timeout=10)
    process.wait_for("both to be well", lambda: both_well(leashed), timeout=10)


def test_a_fault_ends_though_its_janitor_was_killed_before_and_while_it_healed(leashed: Lab, before: Snapshot) -> None:
    fault = inject(leashed, "primary-read-only", lease=LEASE)
    first = kill(leashed, JANITOR)
    revived(leashed, JANITOR, first)
    (found,) = active(leashed.layout)
    time.sleep(max(0.0, found.expires - time.time()) + 1.5)  # it is at it now
    second = kill(leashed, JANITOR)
    revived(leashed, JANITOR, second)
    wait_until_healed(leashed)
    assert remaining(leashed, before, within=30) == [], fault.name


def test_two_janitors_are_never_at_work(leashed: Lab) -> None:
    for _ in range(3):
        process.start_python(leashed.layout, "another", "dhakacart_lab.faults.janitor")
        ended = process.find(leashed.layout, "another")
        if ended is not None:
            ended.wait(timeout=10)
        process.stop(leashed.layout, "another")
    running = [found for found in process.all_of(leashed.layout.lab_id) if "janitor" in " ".join(found.cmdline())]
    assert len(running) == 1


def test_up_heals_what_expired_while_nobody_watched(leashed: Lab, before: Snapshot) -> None:
    """As after a reboot of the machine: every process is gone, the fault is in the files and its lease is over."""
    inject(leashed, "primary-read-only", lease=600)
    (fault,) = active(leashed.layout)
    for found in process.all_of(leashed.layout.lab_id):
        with contextlib.suppress(psutil.NoSuchProcess):  # a child of one that was killed before
            found.kill()
    record(leashed.layout, ActiveFault(fault.name, fault.cause, fault.injected, time.time() - 1))
    Lab.up(NAME)
    assert active(leashed.layout) == []
    assert remaining(leashed, before, within=30) == []


def test_down_is_not_undone_by_those_who_revive(leashed: Lab) -> None:
    leashed.down()
    time.sleep(3)
    assert process.all_of(leashed.layout.lab_id) == []
    assert not leashed.layout.folder.exists()
