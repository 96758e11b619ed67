# SPDX-License-Identifier: GPL-3.0-or-later
"""Many drills in a row: nothing measured is lost, and it goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.drill.scenario import Scenario
from dhakacart_runbooks.drill.series import Results, Series, tables, turns
from dhakacart_runbooks.errors import InfrastructureError

from .doubles import scenario

A, B = scenario(name="a"), scenario(name="b")


def result(name: str, verdict: str = "passed", **more: Any) -> dict[str, Any]:
    return {"scenario": name, "verdict": verdict, "reason": "", "cause": "x", "expected_cause": "x", "at": {}, **more}


def run(verdicts: dict[str, list[str]], planned: int, results: Results, mended: list[str]) -> Series:
    left = {name: list(found) for name, found in verdicts.items()}

    def hold(one: Scenario, _repetition: int) -> dict[str, Any]:
        return result(one.name, left[one.name].pop(0))

    series = Series(hold, results, lambda: mended.append("mended"), lambda _text: None)
    series.run(turns([A, B], planned))
    return series


def test_rounds_come_before_repetitions_so_that_an_early_end_has_figures_of_all() -> None:
    assert [(t.scenario.name, t.repetition) for t in turns([A, B], 2)] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_it_is_resumed_where_it_stopped_and_what_proved_nothing_is_held_again() -> None:
    done = [result("a"), result("b", "failed"), result("a", "invalid"), result("b", "interrupted")]
    assert [(t.scenario.name, t.repetition) for t in turns([A, B], 2, done)] == [("a", 2), ("b", 2)]
    assert turns([A], 1, done) == []


def test_a_failed_drill_stops_nothing_and_mends_nothing(tmp_path: Path) -> None:
    mended: list[str] = []
    series = run({"a": ["failed", "failed"], "b": ["failed", "passed"]}, 2, Results(None), mended)
    assert len(series.held) == 4
    assert mended == []


def test_a_drill_that_proved_nothing_is_mended_before_the_next() -> None:
    mended: list[str] = []
    run({"a": ["invalid"], "b": ["passed"]}, 1, Results(None), mended)
    assert mended == ["mended"]


def test_a_lab_beyond_mending_ends_the_series_and_keeps_what_was_held(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl")
    with pytest.raises(InfrastructureError, match="3 drills in a row proved nothing"):
        run({"a": ["invalid"] * 3, "b": ["invalid"] * 3}, 3, results, [])
    assert len(results.read()) == 3


def test_every_result_is_in_the_file_at_once_and_half_a_line_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    results = Results(path)
    results.add(result("a"))
    with path.open("a") as file:
        file.write('{"scenario": "b", "verd')
    assert [found["scenario"] for found in results.read()] == ["a"]
    assert Results(tmp_path / "none.jsonl").read() == []


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="cannot be written"):
        Results(tmp_path / "file" / "results.jsonl").add(result("a"))


def test_a_table_averages_only_what_proved_something() -> None:
    held = [
        result("a", rto_seconds=10.0, at={"detect": 2.0}),
        result("a", "failed", rto_seconds=20.0, at={"detect": 4.0}, cause="wrong"),
        result("a", "invalid", rto_seconds=999.0),
    ]
    (found,) = tables(held)
    assert dict(found.verdicts) == {"passed": 1, "failed": 1, "invalid": 1}
    assert found.cause_right == 1
    rto, detect = found.measures["rto_seconds"], found.measures["detect"]
    assert rto is not None
    assert detect is not None
    assert (rto.n, rto.median, rto.maximum) == (2, 15.0, 20.0)
    assert detect.median == 3.0
    assert found.measures["rpo_seconds"] is None
