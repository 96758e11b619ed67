# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that died is found, and never "running" for ever."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dhakacart_runbooks.history import History, RunRow
from dhakacart_runbooks.history.spool import Spool

Make = Callable[..., RunRow]

FOLLOWED = """
import sys, time
from dhakacart_runbooks.events import RunStarted
from dhakacart_runbooks.history import HistoryObserver
from dhakacart_runbooks.request import RunRequest
HistoryObserver(collection_version="").started(
    RunRequest("database-failure"),
    RunStarted(run_id="followed", runbook="database-failure", sections=(), inventory="lab", check=False),
)
print("started", flush=True)
time.sleep(float(sys.argv[1]))
print("entered", flush=True)
time.sleep(60)
"""


def follow(entered_after: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FOLLOWED, str(entered_after)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"the process ended before it said {word!r}")


@pytest.mark.parametrize("moment", ["before the database knew of it", "after the database knew of it"])
def test_a_run_killed_at_any_moment_is_lost_and_says_when_it_was_last_seen(home: Path, moment: str) -> None:
    process = follow()
    try:
        wait_for(process, "started")
        if moment.startswith("after"):
            with History.open() as history:
                deadline = time.monotonic() + 20
                while not history.runs() and time.monotonic() < deadline:
                    time.sleep(0.05)
                assert [run.status for run in history.runs()] == ["running"], "its process lives"
    finally:
        process.kill()
        process.wait()
    with History.open() as history:
        (run,) = history.runs()
        assert (run.id, run.status) == ("followed", "lost")
        assert run.finished is not None and run.started <= run.finished <= time.time()
    assert list((home / "history.db.spool").glob("*.json")) == []


def test_a_living_run_that_only_waits_in_the_spool_is_left_alone(history: History, make_run: Make) -> None:
    spool = Spool(history.address.spool)
    spool.put(make_run("waits", status="running", finished=None))
    assert history.runs() == []
    assert [run.id for run, _ in spool.waiting()] == ["waits"]


def test_an_end_that_could_not_be_entered_is_entered_later(history: History, make_run: Make) -> None:
    history.record(make_run("a", status="running", finished=None))
    Spool(history.address.spool).put(make_run("a", status="failed", message="kept"))
    assert [(run.status, run.message) for run in history.runs()] == [("failed", "kept")]


def test_an_end_that_is_known_is_not_overwritten_by_a_left_over_beginning(history: History, make_run: Make) -> None:
    history.record(make_run("a", status="healthy"))
    Spool(history.address.spool).put(make_run("a", status="running", finished=None, pid_start=1))
    assert [run.status for run in history.runs()] == ["healthy"]


def test_a_file_in_the_spool_that_is_no_run_harms_nobody(history: History) -> None:
    history.address.spool.mkdir()
    (history.address.spool / "half.json").write_text('{"run": {"id": "x"')
    (history.address.spool / "other.json").write_text("[1, 2]")
    (history.address.spool / "binary.json").write_bytes(b"\xff\xfe")
    assert history.runs() == []


def test_a_run_that_gives_a_sign_of_life_is_running_again(history: History, make_run: Make) -> None:
    far = make_run("a", status="running", finished=None, host="another", boot_id="another")
    history.record(far)
    assert history.address.file
    with sqlite3.connect(history.address.file) as raw:
        raw.execute("UPDATE runs SET heartbeat = heartbeat - 61")
    assert history.recover() == ["a"]
    assert history.run("a").status == "lost"
    history.record(replace(far, status="running"))
    run = history.run("a")
    assert (run.status, run.finished) == ("running", None)
