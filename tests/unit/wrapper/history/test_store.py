# SPDX-License-Identifier: GPL-3.0-or-later
"""What is entered is found again."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.finding import Finding, Status
from dhakacart_runbooks.history import DrillRow, History, RunRow
from dhakacart_runbooks.outcome import RunOutcome, RunStatus, SectionOutcome
from dhakacart_runbooks.request import RunRequest

Make = Callable[..., RunRow]


def outcome(run_id: str = "a1") -> RunOutcome:
    request = RunRequest(
        "database-failure", ("resolution",), inventory="lab", target="dr", branch="promote", approve="INC-7"
    )
    absent = Finding("standby", "standby", Status.UNKNOWN, "there is none", {"kind": "not_configured"})
    return RunOutcome(
        run_id=run_id,
        request=request,
        status=RunStatus.UNHEALTHY,
        rc=2,
        started=1000.5,
        finished=1012.25,
        environment="lab",
        findings=(Finding("p", "primary", Status.CRITICAL, "down"), Finding("r", "redis", Status.OK, "well"), absent),
        sections=(SectionOutcome("resolution", 11.5, 600.0, "database.primary_down", "verify"),),
        likely_cause="database.primary_down",
        next="runbook run database-failure -s verification",
        changed=True,
        message="the primary is down",
        record="/records/x",
    )


def test_an_outcome_comes_back_as_it_was(history: History) -> None:
    history.record(outcome())
    run = history.run("a1")
    assert (run.status, run.rc, run.exit_code, run.started, run.finished) == ("unhealthy", 2, 2, 1000.5, 1012.25)
    assert (run.sections, run.target, run.branch, run.approve_reason) == (("resolution",), "dr", "promote", "INC-7")
    assert (run.changed, run.check, run.record, run.seconds) == (True, False, "/records/x", 11.75)
    assert run.user and run.host
    (section,) = history.sections("a1")
    assert (section.section, section.elapsed, section.budget, section.next) == ("resolution", 11.5, 600.0, "verify")


def test_findings_are_counted_without_parts_that_the_environment_rightly_lacks(history: History) -> None:
    history.record(outcome())
    assert history.run("a1").findings == {"critical": 1, "warning": 0, "unknown": 0, "ok": 1}


def test_recording_a_run_again_replaces_it_and_its_sections(history: History) -> None:
    history.record(outcome())
    history.record(replace(outcome(), message="another"))
    assert [run.message for run in history.runs()] == ["another"]
    assert len(history.sections("a1")) == 1


def test_runs_are_listed_newest_first_and_filtered(history: History, make_run: Make) -> None:
    now = time.time()
    history.record(make_run("old", started=now - 9000, environment="production"))
    history.record(make_run("new", started=now - 10, runbook="high-traffic", status="failed"))
    history.record(make_run("middle", started=now - 500))
    assert [run.id for run in history.runs()] == ["new", "middle", "old"]
    assert [run.id for run in history.runs(limit=1)] == ["new"]
    assert [run.id for run in history.runs(environment="production")] == ["old"]
    assert [run.id for run in history.runs(runbook="high-traffic")] == ["new"]
    assert [run.id for run in history.runs(status="failed")] == ["new"]
    assert [run.id for run in history.runs(since=now - 1000)] == ["new", "middle"]


def test_a_run_is_found_by_its_beginning_and_the_last_one_by_that_word(history: History, make_run: Make) -> None:
    history.record(make_run("abc-1", started=1.0))
    history.record(make_run("abd-2", started=2.0))
    assert history.run("abc").id == "abc-1"
    assert history.run("last").id == "abd-2"
    with pytest.raises(UsageError, match="2 runs begin so: abd-2, abc-1"):
        history.run("ab")
    with pytest.raises(UsageError, match="no run"):
        history.run("x")


def test_an_id_in_full_is_not_ambiguous_with_a_longer_one(history: History, make_run: Make) -> None:
    history.record(make_run("abc"))
    history.record(make_run("abcd"))
    assert history.run("abc").id == "abc"


def test_signs_of_patterns_in_an_id_are_only_signs(history: History, make_run: Make) -> None:
    history.record(make_run("abc"))
    assert history.find("%") == []
    assert history.find("a_c") == []


def test_drills_come_back_with_their_figures(history: History) -> None:
    drill = DrillRow(
        id="d1",
        drill="primary-killed",
        started=5.0,
        finished=70.5,
        seed=7,
        environment="lab",
        digest="abc",
        verdict="passed",
        figures={"detect": 1.5, "recover": 12.0, "phases": ["a"]},
        rto=14.25,
        rpo=0.0,
        cause_expected="database.primary_down",
        cause_named="database.primary_down",
        residue=0,
        run_ids=("r1", "r2"),
    )
    history.add_drill(drill)
    history.add_drill(replace(drill, id="d2", drill="disk-full", started=6.0))
    assert history.drills("primary-killed") == [drill]
    assert [one.id for one in history.drills()] == ["d2", "d1"]
    assert [one.id for one in history.drills(limit=1)] == ["d2"]
    history.add_drill(replace(drill, verdict="failed"))
    assert [one.verdict for one in history.drills("primary-killed")] == ["failed"]


def test_the_folder_and_the_file_are_private_and_readers_do_not_block_the_writer(home: Path, history: History) -> None:
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "history.db").stat().st_mode) == 0o600
    with sqlite3.connect(home / "history.db") as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        raw.execute("BEGIN")
        raw.execute("SELECT count(*) FROM runs").fetchone()
        history.record(outcome())


def test_a_folder_that_was_there_keeps_its_mode(home: Path) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    History.open().close()
    assert stat.S_IMODE(home.stat().st_mode) == 0o755
