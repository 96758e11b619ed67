# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: side by side, repaired when half dead, and gone without a trace."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_lab import process
from dhakacart_lab.faults.catalogue import heal, inject
from dhakacart_lab.faults.state import active
from dhakacart_lab.lab import Lab
from dhakacart_lab.layout import LabError, lab_folder
from dhakacart_lab.shopper.record import place_order

NAME = "beside"
UP_SECONDS = 60


@pytest.fixture(scope="module")
def beside(whole_lab: Lab) -> Iterator[Lab]:
    """A second lab while the first one runs."""
    begin = time.monotonic()
    lab = Lab.up(NAME)
    assert time.monotonic() - begin < UP_SECONDS
    yield lab
    if lab_folder(NAME).exists():
        lab.down()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    runbook = Path(sys.executable).parent / "runbook"
    return subprocess.run([runbook, "lab", *arguments], capture_output=True, text=True, timeout=120, check=False)


def test_two_labs_run_side_by_side_and_do_not_share_anything(whole_lab: Lab, beside: Lab) -> None:
    assert whole_lab.layout.subnet != beside.layout.subnet
    for lab in (whole_lab, beside):
        assert place_order(f"http://{lab.layout.load_balancer}", timeout=5).outcome == "acknowledged"
        assert all(part.healthy for part in lab.status())


def test_up_repairs_a_lab_that_is_half_dead(beside: Lab) -> None:
    kubernetes = (*beside.kubernetes.components, "kubelet-1", "kubelet-2")
    for component in (*kubernetes, "aws", "loadbalancer", "shopper", "edge", "postgres-agent", "janitor"):
        found = process.find(beside.layout, component)
        assert found is not None, component
        found.kill()
    beside.redis.kill()
    beside.cluster.primary().kill()
    assert not all(part.healthy for part in beside.status())
    repaired = Lab.up(NAME)
    repaired.wait_until_well()
    assert repaired.layout == beside.layout


def test_status_tells_a_person_and_a_machine_what_is_wrong(beside: Lab) -> None:
    beside.redis.kill()
    shown, read = command("status", "-n", NAME), command("status", "-n", NAME, "--json")
    assert shown.returncode == read.returncode == 2
    assert "redis" in shown.stdout
    assert '"healthy": false' in read.stdout
    beside.redis.up()
    assert command("status", "-n", NAME).returncode == 0


def test_a_fault_is_healed_when_its_lease_ends_though_nobody_is_there(beside: Lab) -> None:
    inject(beside, "standby-lag", lease=2)
    assert [fault.name for fault in active(beside.layout)] == ["standby-lag"]
    process.wait_for("the janitor", lambda: not active(beside.layout), timeout=60)
    with beside.cluster.connect(beside.cluster.standby().name) as standby:
        assert standby.execute("select pg_is_wal_replay_paused()").fetchone() == (False,)


@pytest.mark.parametrize("name", ["runaway-query", "lock-pileup", "connections-exhausted"])
def test_heal_ends_what_a_fault_left_in_the_server(name: str, beside: Lab) -> None:
    """A session that computes does not notice that the process behind it is gone."""
    inject(beside, name, lease=600)
    heal(beside)
    with beside.cluster.connect() as database:
        query = "select count(*) from pg_stat_activity where application_name in ('reporting-job', 'migration-job')"
        assert database.execute(query).fetchone() == (0,)


def test_a_mistyped_fault_or_name_is_one_line(beside: Lab) -> None:
    for arguments, code, words in (
        (("break", "primary-kiled", "-n", NAME), 1, "unknown fault 'primary-kiled'"),
        (("break", "primary-killed", "-n", NAME, "--for", "0"), 1, "an expiry in the future"),
        (("status", "-n", "nowhere"), 4, "remedy: runbook lab up"),
        (("up", "-n", "Not A Name"), 1, "lower-case letters"),
        (("up", "-n", NAME, "--as", "production"), 1, "one of lab, staging"),
        (("up", "-n", NAME, "--as", "staging"), 1, "plays lab; remedy: runbook lab down"),
    ):
        done = command(*arguments)
        assert done.returncode == code, done.stderr
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_down_leaves_no_process_no_file_and_no_mount(beside: Lab) -> None:
    layout = beside.layout
    done = command("down", "-n", NAME)
    assert done.returncode == 0, done.stderr
    assert process.all_of(layout.lab_id) == []
    assert not layout.folder.exists()
    assert str(layout.folder) not in Path("/proc/mounts").read_text(encoding="utf-8")
    with pytest.raises(LabError, match="is missing"):
        Lab.open(NAME)
