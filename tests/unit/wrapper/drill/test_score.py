# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict of a drill, from what was seen in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dhakacart_runbooks.drill.measures import Downtime, Loss
from dhakacart_runbooks.drill.score import Observed, SectionTime, Verdict, judge

from .doubles import scenario

GOOD = Observed(
    cause="primary_down",
    branch="failover",
    detected=True,
    downtime=Downtime(12.0, 1, 1001.0),
    loss=Loss(0, 0.0),
    sections=(SectionTime("immediate", 2.0, 300.0),),
    red_before=False,
    green_after=True,
    resolution_done=True,
    residue=(),
)
NO_BRANCH = {"expected_branch": None, "sections": ["immediate", "investigation", "verification"]}


def test_a_drill_in_which_everything_is_right_has_all_points() -> None:
    score = judge(scenario(), GOOD)
    assert score.verdict is Verdict.PASSED
    assert (score.points, score.of) == (100, 100)


@pytest.mark.parametrize(
    ("change", "criterion", "detail"),
    [
        ({"cause": "disk_full"}, "cause", "named disk_full, expected primary_down"),
        ({"cause": ""}, "cause", "named none"),
        ({"branch": "restore"}, "branch", "recommended restore, expected failover"),
        ({"detected": False}, "detected", "no alert came"),
        ({"downtime": Downtime(300.1, 1)}, "rto", "300.1 s of 300 s"),
        ({"downtime": Downtime(None, 1)}, "rto", "could still not order"),
        ({"downtime": Downtime(0.0, 0)}, "customers", "no outage, expected one"),
        ({"resolution_done": False}, "rto", "the resolution failed"),
        ({"loss": Loss(3, 61.0)}, "rpo", "3 orders lost, 61.0 s of 60 s"),
        ({"loss": None}, "rpo", "could not be counted"),
        ({"red_before": True}, "verification", "said recovered while it was broken"),
        ({"red_before": None}, "verification", "gave no verdict while it was broken"),
        ({"green_after": False}, "verification", "said not recovered after the resolution"),
        ({"green_after": None}, "verification", "gave no verdict after"),
        ({"sections": (SectionTime("immediate", 301.0, 300.0),)}, "budgets", "immediate 301 s of 300 s"),
    ],
)
def test_one_thing_wrong_fails_the_drill_and_is_named(change: dict[str, object], criterion: str, detail: str) -> None:
    score = judge(scenario(), replace(GOOD, **change))  # type: ignore[arg-type]
    assert score.verdict is Verdict.FAILED
    missed = {found.name: found.detail for found in score.criteria if found.met is False}
    assert detail in missed[criterion]
    assert score.points < 100


def test_exactly_on_the_objective_is_kept() -> None:
    seen = replace(GOOD, downtime=Downtime(300.0, 1), loss=Loss(9, 60.0))
    assert judge(scenario(), seen).verdict is Verdict.PASSED


def test_a_green_verification_over_a_shop_that_is_down_is_a_lie() -> None:
    score = judge(scenario(), replace(GOOD, downtime=Downtime(None, 1)))
    found = {criterion.name: criterion for criterion in score.criteria}
    assert found["verification"].met is False
    assert found["verification"].detail == "said recovered though customers could not order"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"residue": None}, "not compared"),
        ({"residue": ("deployment x: replicas was 3, is 2",)}, "replicas was 3"),
        ({"invalid": "precondition lab-well: redis does not answer"}, "precondition"),
    ],
)
def test_a_drill_that_proves_nothing_is_invalid_however_good_it_looks(change: dict[str, object], reason: str) -> None:
    score = judge(scenario(), replace(GOOD, **change))  # type: ignore[arg-type]
    assert score.verdict is Verdict.INVALID
    assert reason in score.reason


def test_an_interruption_outranks_everything_else() -> None:
    score = judge(scenario(), replace(GOOD, interrupted="interrupted in the phase recover", residue=None))
    assert score.verdict is Verdict.INTERRUPTED


def test_a_fault_without_branch_is_not_asked_for_rto_and_rpo() -> None:
    seen = Observed(
        cause="primary_down", detected=True, downtime=Downtime(None, 1), red_before=False, residue=(), sections=()
    )
    score = judge(scenario(**NO_BRANCH), seen)
    assert score.verdict is Verdict.PASSED
    left_out = {criterion.name for criterion in score.criteria if criterion.met is None}
    assert left_out == {"rto", "rpo", "budgets"}
    assert score.points == score.of == 55


def test_recommending_a_branch_where_there_is_none_is_wrong() -> None:
    seen = replace(GOOD, branch="failover")
    score = judge(scenario(**NO_BRANCH), seen)
    assert "recommended failover, expected none" in score.reason


def test_customers_who_should_not_notice_and_do_fail_the_drill() -> None:
    score = judge(scenario(customers_notice=False), GOOD)
    assert "an outage, expected none" in score.reason
