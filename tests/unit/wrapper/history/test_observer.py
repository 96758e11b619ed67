# SPDX-License-Identifier: GPL-3.0-or-later
"""The history follows a run without holding it up."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dhakacart_runbooks.errors import InfrastructureError, UsageError
from dhakacart_runbooks.events import EnvironmentKnown, RunStarted, SectionFinished
from dhakacart_runbooks.history import History, HistoryObserver, follower
from dhakacart_runbooks.outcome import RunOutcome, RunStatus, SectionOutcome
from dhakacart_runbooks.request import RunRequest

REQUEST = RunRequest("database-failure", ("immediate", "investigation"), approve="agreed")


def started(run_id: str = "a") -> RunStarted:
    return RunStarted(
        run_id=run_id, runbook=REQUEST.runbook, sections=REQUEST.sections, inventory="lab", check=False, time=1000.0
    )


def ended(run_id: str = "a", status: RunStatus = RunStatus.HEALTHY) -> RunOutcome:
    sections = (SectionOutcome("immediate", 3.0, 60.0, "a.cause", "next"),)
    return RunOutcome(
        run_id=run_id, request=REQUEST, status=status, rc=0, started=1000.0, finished=1020.0, sections=sections
    )


def closed(section: str) -> SectionFinished:
    return SectionFinished(
        section=section, elapsed_seconds=3.0, budget_seconds=60.0, likely_cause=f"{section}.cause", next="go on"
    )


def known(environment: str = "lab") -> EnvironmentKnown:
    return EnvironmentKnown(environment=environment, name="x", record=f"/records/{environment}", budgets={})


def eventually(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


def test_a_run_is_shown_as_it_goes_on(history: History) -> None:
    observer = HistoryObserver(collection_version="2.3.4")
    observer.started(REQUEST, started())
    eventually(lambda: [run.status for run in history.runs()] == ["running"])
    observer.event(known())
    eventually(lambda: history.run("a").record == "/records/lab")
    observer.event(closed("immediate"))
    eventually(lambda: [one.section for one in history.sections("a")] == ["immediate"])
    observer.event(closed("investigation"))
    eventually(lambda: len(history.sections("a")) == 2)
    run = history.run("a")
    assert (run.status, run.environment, run.likely_cause) == ("running", "lab", "investigation.cause")
    assert (run.approve_reason, run.collection_version) == ("agreed", "2.3.4")
    observer.finished(ended())
    run = history.run("a")
    assert (run.status, run.finished, run.environment, run.record) == ("healthy", 1020.0, "lab", "/records/lab")
    assert [one.section for one in history.sections("a")] == ["immediate"], "the outcome has the last word"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no Ansible that has to start first."""
    monkeypatch.setattr(follower, "START_SECONDS", 0.0)


def test_starting_costs_milliseconds() -> None:
    took = []
    for number in range(5):
        observer = HistoryObserver(collection_version="")
        begun = time.perf_counter()
        observer.started(REQUEST, started(str(number)))
        took.append(time.perf_counter() - begun)
        observer.finished(ended(str(number)))
    assert min(took) < 0.02


def test_sqlalchemy_is_not_imported_while_ansible_is_being_started() -> None:
    code = """
import sys, time
from dhakacart_runbooks.events import RunStarted, Said
from dhakacart_runbooks.history import HistoryObserver
from dhakacart_runbooks.outcome import RunOutcome, RunStatus
from dhakacart_runbooks.request import RunRequest
observer, request = HistoryObserver(collection_version=""), RunRequest("x")
observer.started(request, RunStarted(run_id="a", runbook="x", sections=(), inventory="lab", check=False))
time.sleep(0.3)
print("sqlalchemy" in sys.modules)
observer.event(Said(text="the first event"))
observer.finished(RunOutcome(run_id="a", request=request, status=RunStatus.HEALTHY, rc=0, started=1.0, finished=2.0))
print("sqlalchemy" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.split() == ["False", "True"]


def test_it_gives_signs_of_life(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "BEAT_SECONDS", 0.05)
    observer = HistoryObserver(collection_version="")
    observer.started(REQUEST, started())
    eventually(history.runs)
    first = history.run("a").heartbeat
    eventually(lambda: history.run("a").heartbeat > first + 0.2)
    observer.finished(ended())
    assert not [thread for thread in threading.enumerate() if thread.name == "history of a"], "its thread is gone"


def test_two_runs_at_once_are_not_mixed_up(history: History) -> None:
    observer = HistoryObserver(collection_version="")

    def go(run_id: str) -> None:
        observer.started(REQUEST, started(run_id))
        barrier.wait(10)
        observer.event(known(run_id))
        barrier.wait(10)
        observer.finished(ended(run_id))

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=go, args=(run_id,)) for run_id in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(run.id, run.environment, run.status) for run in history.runs()} == {
        ("a", "a", "healthy"),
        ("b", "b", "healthy"),
    }


def test_a_history_that_cannot_be_opened_is_reported_once_and_at_the_end(home: Path) -> None:
    home.mkdir()
    (home / "history.db").write_bytes(b"no database at all " * 100)
    observer = HistoryObserver(collection_version="")
    observer.started(REQUEST, started())
    with pytest.raises(InfrastructureError, match="not a database"):
        for _ in range(200):
            observer.event(known())
            time.sleep(0.05)
    observer.event(known())
    begun = time.monotonic()
    with pytest.raises(InfrastructureError, match="not a database"):
        observer.finished(ended())
    assert time.monotonic() - begun < 4, "a database that just failed is not waited for"


def test_what_a_broken_history_missed_is_entered_when_it_works_again(home: Path) -> None:
    home.mkdir()
    broken = home / "history.db"
    broken.write_bytes(b"no database at all " * 100)
    observer = HistoryObserver(collection_version="")
    observer.started(REQUEST, started())
    with pytest.raises(InfrastructureError):
        observer.finished(ended())
    broken.rename(home / "history.db.damaged")
    with History.open() as history:
        assert [(run.id, run.status) for run in history.runs()] == [("a", "healthy")]
        assert [one.section for one in history.sections("a")] == ["immediate"]


def test_a_history_that_fails_midway_is_tried_again(home: Path, history: History) -> None:
    observer = HistoryObserver(history, collection_version="")
    observer.started(REQUEST, started())
    eventually(history.runs)
    with sqlite3.connect(home / "history.db") as raw:
        raw.execute("ALTER TABLE runs RENAME TO away")
    observer.event(known())
    with pytest.raises(InfrastructureError, match="no such table"):
        for _ in range(200):
            observer.event(known())
            time.sleep(0.02)
    with sqlite3.connect(home / "history.db") as raw:
        raw.execute("ALTER TABLE away RENAME TO runs")
    try:
        observer.finished(ended())
    except InfrastructureError:
        eventually(lambda: [run.status for run in history.runs()] == ["healthy"])
    assert [(run.status, run.finished) for run in history.runs()] == [("healthy", 1020.0)]


def test_a_database_that_is_slow_holds_the_end_up_only_until_the_deadline(home: Path, history: History) -> None:
    observer = HistoryObserver(collection_version="", finish_seconds=0.3)
    observer.started(REQUEST, started())
    eventually(history.runs)
    with sqlite3.connect(home / "history.db", isolation_level=None) as raw:
        raw.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(InfrastructureError, match=r"not written within 0\.3 s"):
            observer.finished(ended())
        assert time.monotonic() - begun < 4
        assert [path.name for path in (home / "history.db.spool").iterdir()] == ["a.json"]
        raw.execute("ROLLBACK")
    eventually(lambda: [run.status for run in history.runs()] == ["healthy"])


def test_a_senseless_address_is_refused_at_once() -> None:
    with pytest.raises(UsageError):
        HistoryObserver(url="mysql://x/y").started(REQUEST, started())


def test_a_run_whose_start_was_never_seen_is_not_its_business() -> None:
    HistoryObserver().event(known())
    HistoryObserver().finished(ended())
