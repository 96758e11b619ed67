# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill measured stands in the incident record, as the report reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dhakacart_runbooks.drill import figures
from dhakacart_runbooks.drill.engine import Drill
from dhakacart_runbooks.drill.measures import Downtime
from dhakacart_runbooks.drill.result import Result
from dhakacart_runbooks.report.record import read

from .doubles import GOOD, PaperTarget, ScriptedLauncher, scenario


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return Drill.of(scenario(), PaperTarget(tmp_path), ScriptedLauncher(GOOD), sleep=lambda _seconds: None).run()


def test_the_report_shows_the_outage_and_the_objectives(result: Result, tmp_path: Path) -> None:
    folder = tmp_path / "2026-11-23-030400-lab-database-failure"
    folder.mkdir()
    (folder / "timeline.jsonl").write_text('{"time": 1.0, "event": "opened"}\n', encoding="utf-8")
    figures.write(str(folder), result, scenario())
    record = read(folder, lambda text: text)
    assert record.measured_by == f"drill {result.id}"
    assert [(f.name, f.value, f.target, f.met) for f in record.figures][:2] == [
        ("RTO", 10.0, 300.0, True),
        ("RPO", 0.0, 60.0, True),
    ]
    assert len(record.outages) == 1 and record.outages[0].ended is not None


def test_an_objective_that_was_missed_is_said_so(result: Result) -> None:
    seen = replace(result.observed, downtime=Downtime(seconds=301.0, outages=1, started=5.0))
    rows = figures.figures(replace(result, observed=seen), scenario())["figures"]
    assert rows[0] == {"name": "RTO", "value": 301.0, "unit": "s", "target": 300.0, "met": False}


def test_an_outage_that_is_not_over_has_no_end_and_no_rto(result: Result) -> None:
    seen = replace(result.observed, downtime=Downtime(seconds=None, outages=1, started=5.0))
    found = figures.figures(replace(result, observed=seen), scenario())
    assert found["outages"] == [{"began": 5.0, "ended": None}]
    assert "RTO" not in [row["name"] for row in found["figures"]]


@pytest.mark.parametrize("record", ["", "/no/such/folder"])
def test_a_record_that_is_not_there_keeps_the_drill_from_nothing(result: Result, record: str) -> None:
    figures.write(record, result, scenario())
