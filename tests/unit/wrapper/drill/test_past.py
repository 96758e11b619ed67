# SPDX-License-Identifier: GPL-3.0-or-later
"""The trend: from the history, and from journals where the history does not have them."""

from __future__ import annotations

from typing import Any

import pytest
from dhakacart_runbooks.drill import past
from dhakacart_runbooks.drill.past import Past, Trend


def run(number: int, rto: float | None = 10.0, verdict: str = "passed", lost: float = 0) -> Past:
    return Past(str(number), "a", float(number), verdict, rto, 5.0 + number, lost)


def trend(*runs: Past) -> Trend:
    return Trend("a", runs)


def result(identity: str, **more: Any) -> dict[str, Any]:
    base = {
        "id": identity, "scenario": "database-primary-killed", "started": 1000.0, "finished": 1060.0,
        "verdict": "passed", "at": {"diagnose": 6.0}, "took": {}, "rpo_seconds": 0.0, "points": 100,
        "rto_seconds": 12.0, "lost_orders": 0, "expected_cause": "primary_down", "cause": "primary_down",
        "residue": [], "runs": ["r1"],
    }  # fmt: skip
    return {**base, **more}


def test_what_was_entered_is_in_the_trend_in_order() -> None:
    past.enter(result("b", started=2000.0, rto_seconds=14.0), "lab", seed=3)
    past.enter(result("a"), "lab")
    (found,) = past.trends("database-primary-killed")
    assert found.measured == [12.0, 14.0]
    assert found.to_json()["passed"] == 2


def test_a_drill_that_proved_nothing_is_in_no_trend() -> None:
    past.enter(result("a", verdict="invalid"), "lab")
    assert past.trends() == []


def test_the_time_to_the_diagnosis_stands_in_where_the_runbook_has_no_branch() -> None:
    found = trend(run(1, None), run(2, None))
    assert (found.what, found.measured) == ("diagnosis", [6.0, 7.0])


@pytest.mark.parametrize(
    ("runs", "mark"),
    [
        ((run(1), run(2, verdict="failed")), "failed, passed before"),
        ((run(1), run(2, lost=3)), "lost 3 orders, at most 0 before"),
        ((run(1), run(2), run(3), run(4, rto=40.0)), "slower: 40.0 s, median before 10.0 s"),
        ((run(1, verdict="failed"), run(2, verdict="failed")), ""),
        ((run(1), run(2), run(3), run(4)), ""),
        ((run(1, lost=5),), ""),
    ],
)
def test_what_got_worse_is_marked(runs: tuple[Past, ...], mark: str) -> None:
    assert trend(*runs).mark == mark
