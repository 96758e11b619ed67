# SPDX-License-Identifier: GPL-3.0-or-later
"""What is removed, and what never is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.history import DrillRow, History, RunRow, SectionRow, retention
from dhakacart_runbooks.history.records import remove_records

Make = Callable[..., RunRow]
DAY = 86400.0


def old(days: float) -> dict[str, float]:
    began = time.time() - days * DAY
    return {"started": began, "finished": began + 5, "heartbeat": began + 5}


def test_old_runs_and_drills_are_removed_with_their_sections(history: History, make_run: Make) -> None:
    history.record(
        make_run("old", **old(100)), [SectionRow(run_id="old", section="x", position=0, elapsed=1, budget=2)]
    )
    history.record(make_run("young", **old(80)))
    history.add_drill(DrillRow(id="d-old", drill="x", started=time.time() - 100 * DAY))
    history.add_drill(DrillRow(id="d-young", drill="x", started=time.time() - 80 * DAY))
    pruned = history.prune(timedelta(days=90), keep_last=0)
    assert ([run.id for run in pruned.runs], pruned.drills) == (["old"], 1)
    assert str(pruned) == "1 run and 1 drill"
    assert [run.id for run in history.runs()] == ["young"]
    assert [drill.id for drill in history.drills()] == ["d-young"]
    assert history.sections("old") == []


def test_the_newest_are_kept_however_old_they_are(history: History, make_run: Make) -> None:
    for number in range(5):
        history.record(make_run(f"r{number}", **old(500 + number)))
    assert [run.id for run in history.prunable(timedelta(days=1), keep_last=3).runs] == ["r3", "r4"]
    assert len(history.runs()) == 5, "asking removes nothing"
    history.prune(timedelta(days=1), keep_last=3)
    assert [run.id for run in history.runs()] == ["r0", "r1", "r2"]


def test_a_run_that_goes_on_is_never_removed(history: History, make_run: Make) -> None:
    history.record(make_run("long", status="running", **{**old(900), "finished": None}))
    assert history.prune(timedelta(0), keep_last=0).runs == ()
    assert [run.id for run in history.runs()] == ["long"]


def test_more_runs_than_a_statement_takes_parameters_are_removed(
    history: History, make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    for number in range(25):
        history.record(make_run(f"r{number:04}", **old(900)))
    assert len(history.prune(timedelta(days=1), keep_last=1).runs) == 24
    assert len(history.runs()) == 1


def test_retention_happens_by_itself_once_a_day_and_says_what_it_removed(history: History, make_run: Make) -> None:
    for number in range(60):
        history.record(make_run(f"r{number}", **old(401 + number)))
    pruned = history.prune_if_due()
    assert pruned is not None
    assert len(pruned.runs) == 10, "the newest 50 are kept"
    history.record(make_run("another", **old(900)))
    assert history.prune_if_due() is None, "not twice a day"
    (note,) = history.prunings()
    assert str(note) == "10 runs older than 400 days were removed by itself"


def test_retention_can_be_switched_off(history: History, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        history.record(make_run(f"r{number}", **old(4000)))
    monkeypatch.setenv("DHAKACART_HISTORY_DAYS", "0")
    assert history.prune_if_due() is None
    assert len(history.runs()) == 60


@pytest.mark.parametrize("said", ["soon", "-1", "inf", "nan"])
def test_a_senseless_number_of_days_is_refused(history: History, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAKACART_HISTORY_DAYS", said)
    with pytest.raises(UsageError, match="DHAKACART_HISTORY_DAYS"):
        history.prune_if_due()


def record(folder: Path) -> str:
    folder.mkdir()
    (folder / "timeline.jsonl").write_text("{}\n")
    return str(folder)


def test_records_go_with_their_runs_only_where_nothing_else_needs_them(tmp_path: Path, make_run: Make) -> None:
    own, shared, far = (record(tmp_path / name) for name in ("own", "shared", "far"))
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    link = tmp_path / "link"
    link.symlink_to(own)
    here = make_run("x").host
    runs = [
        make_run("a", record=own),
        make_run("b", record=shared),
        make_run("c", record=far, host="another"),
        make_run("d", record=str(precious)),
        make_run("e", record=str(tmp_path / "gone")),
        make_run("f", record=str(link)),
        make_run("g"),
    ]
    done = remove_records(runs, in_use={shared}, host=here)
    assert done.removed == [Path(own)]
    assert set(done.kept) == {Path(shared), Path(far), precious} | ({link} if link.exists() else set())
    assert (precious / "thesis.tex").exists() and Path(shared).exists() and Path(far).exists()
    assert not Path(own).exists()
    assert not done.failed
