# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run is gone and which is not."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace

import pytest
from dhakacart_runbooks.history import RunRow
from dhakacart_runbooks.history.origin import SILENT_SECONDS, STALE_SECONDS, Origin, booted, is_gone, start_of

HERE = Origin.here()


def run(**values: object) -> RunRow:
    known = {name: getattr(HERE, name) for name in ("host", "boot_id", "pid_namespace", "pid", "pid_start")}
    return replace(RunRow(id="a", runbook="x", started=0.0, heartbeat=time.time(), **known), **values)  # type: ignore[arg-type]


def gone(row: RunRow) -> bool:
    return is_gone(row, now=time.time(), here=HERE)


def test_a_run_of_a_living_process_is_not_gone_even_when_it_was_silent_for_minutes() -> None:
    assert not gone(run())
    assert not gone(run(heartbeat=time.time() - 10 * STALE_SECONDS))


def test_a_run_whose_process_number_was_given_to_another_process_is_gone() -> None:
    assert gone(run(pid_start=HERE.pid_start - 1))


def test_a_run_whose_process_ended_is_gone_also_before_anybody_has_waited_for_it() -> None:
    process = subprocess.Popen(["sleep", "60"])
    started = start_of(process.pid)
    assert started is not None
    assert not gone(run(pid=process.pid, pid_start=started))
    process.kill()
    deadline = time.monotonic() + 5
    while start_of(process.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone(run(pid=process.pid, pid_start=started)), "a zombie ends no run"
    process.wait()
    assert gone(run(pid=process.pid, pid_start=started))


def test_a_run_from_before_this_boot_is_gone() -> None:
    assert gone(run(boot_id="another", heartbeat=booted() - 5))


@pytest.mark.parametrize("elsewhere", [{"host": "another"}, {"pid_namespace": "pid:[1]"}, {"boot_id": "another"}])
def test_of_a_run_elsewhere_only_its_silence_tells(elsewhere: dict[str, str]) -> None:
    assert not gone(run(**elsewhere, pid_start=1, heartbeat=time.time() - STALE_SECONDS / 2))
    assert gone(run(**elsewhere, heartbeat=time.time() - STALE_SECONDS - 1))


def test_a_process_that_said_nothing_for_an_hour_has_lost_its_run() -> None:
    assert gone(run(heartbeat=time.time() - SILENT_SECONDS - 1))


def test_two_machines_of_one_name_do_not_end_each_others_runs() -> None:
    assert not gone(run(boot_id="of the other machine", pid=1, pid_start=1))
