# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the wrapper stands in its incident's folder, redacted, while it goes on."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.events import EnvironmentKnown, RunStarted, Said, SectionStarted
from dhakacart_runbooks.outcome import RunOutcome, RunStatus
from dhakacart_runbooks.record import RecordObserver
from dhakacart_runbooks.request import RunRequest

ENVIRON = {"SHOP_PASSWORD": "kn0wn-secret", "HOME": "/root"}
REQUEST = RunRequest("database-failure", ("immediate",), approve="sev1, called kn0wn-secret")


def begun(run_id: str = "r1") -> RunStarted:
    return RunStarted(run_id=run_id, runbook="database-failure", sections=("immediate",), inventory="lab", check=False)


def known(folder: Path | None) -> EnvironmentKnown:
    return EnvironmentKnown(environment="lab", name="lab", record=str(folder or ""), budgets={"immediate": 300})


def ended(run_id: str = "r1") -> RunOutcome:
    return RunOutcome(run_id, REQUEST, RunStatus.HEALTHY, 0, 1.0, 3.5, message="it said kn0wn-secret")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "incidents" / "2026-11-23-030405-lab-database-failure"
    path.mkdir(parents=True)
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]


def test_events_wait_until_the_folder_is_known_and_then_are_written_as_they_come(folder: Path) -> None:
    observer = RecordObserver(ENVIRON)
    observer.started(REQUEST, begun())
    observer.event(Said(text="early"))
    assert list(folder.iterdir()) == []
    observer.event(known(folder))
    path = folder / "runs" / "r1.events.jsonl"
    assert [row["event"] for row in rows(path)] == ["run_started", "said", "environment_known"]
    observer.event(SectionStarted(section="immediate", budget_seconds=300))
    assert rows(path)[-1]["section"] == "immediate"
    observer.finished(ended())
    assert rows(path)[-1]["event"] == "run_finished"


def test_the_run_stands_beside_its_events_and_in_the_timeline(folder: Path) -> None:
    observer = RecordObserver(ENVIRON)
    observer.started(REQUEST, begun())
    observer.event(known(folder))
    observer.finished(ended())
    run = json.loads((folder / "runs" / "r1.json").read_text(encoding="utf-8"))
    assert run["request"]["runbook"] == "database-failure"
    assert run["outcome"]["status"] == "healthy"
    assert run["user"]
    assert run["host"]
    (line,) = rows(folder / "timeline.jsonl")
    assert (line["event"], line["run_id"], line["status"], line["seconds"]) == ("run", "r1", "healthy", 2.5)


def test_nothing_of_a_secret_is_written(folder: Path) -> None:
    observer = RecordObserver(ENVIRON)
    observer.started(REQUEST, begun())
    observer.event(known(folder))
    observer.event(Said(text="kn0wn-secret and password=hunter2x"))
    observer.finished(ended())
    written = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
    assert "kn0wn" not in written
    assert "hunter2x" not in written
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}


def test_a_run_without_a_record_writes_nothing(folder: Path) -> None:
    observer = RecordObserver(ENVIRON)
    observer.started(REQUEST, begun())
    observer.event(known(None))
    observer.event(Said(text="x"))
    observer.finished(ended())
    refused = RecordObserver(ENVIRON)
    refused.started(REQUEST, begun())
    refused.finished(ended())
    assert list(folder.iterdir()) == []
    assert list(folder.parent.iterdir()) == [folder]


def test_a_record_that_cannot_be_written_is_said_once_in_one_line(tmp_path: Path) -> None:
    observer = RecordObserver(ENVIRON)
    observer.started(REQUEST, begun())
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="the run cannot be recorded") as raised:
        observer.event(known(tmp_path / "file" / "x"))
    assert "\n" not in str(raised.value)
    observer.event(Said(text="x"))
    observer.finished(ended())


def test_two_runs_at_the_same_time_are_not_mixed(folder: Path) -> None:
    observer = RecordObserver(ENVIRON)
    together = threading.Barrier(2)

    def follow(run_id: str) -> None:
        observer.started(REQUEST, begun(run_id))
        together.wait()
        observer.event(known(folder))
        for number in range(20):
            observer.event(Said(text=f"{run_id} {number}"))
        observer.finished(ended(run_id))

    threads = [threading.Thread(target=follow, args=(run_id,)) for run_id in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run_id in ("a", "b"):
        said = [row["text"] for row in rows(folder / "runs" / f"{run_id}.events.jsonl") if row["event"] == "said"]
        assert said == [f"{run_id} {number}" for number in range(20)]
    assert len(rows(folder / "timeline.jsonl")) == 2
