# SPDX-License-Identifier: GPL-3.0-or-later
"""The three-valued evaluation of rules."""

from __future__ import annotations

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.diagnosis import (
    Branch,
    Cause,
    Condition,
    bad,
    critical,
    diagnose,
    not_bad,
    ok,
    refusals,
)
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status, unread, worst


def finding(name: str, status: Status, **evidence: object) -> Finding:
    return Finding(name, name, status, f"{name} is {status}", evidence)


def findings(*found: Finding) -> dict[str, Finding]:
    return {one.id: one for one in found}


@pytest.mark.parametrize(
    ("condition", "found", "answer"),
    [
        (ok("x"), finding("x", Status.OK), True),
        (ok("x"), finding("x", Status.WARNING), False),
        (ok("x"), finding("x", Status.UNKNOWN), None),
        (ok("x"), finding("y", Status.OK), None),
        (bad("x"), finding("x", Status.WARNING), True),
        (bad("x"), finding("x", Status.CRITICAL), True),
        (bad("x"), finding("x", Status.OK), False),
        (critical("x", kind="refused"), finding("x", Status.CRITICAL, kind="refused"), True),
        (critical("x", kind=("refused", "no_route")), finding("x", Status.CRITICAL, kind="no_route"), True),
        (critical("x", kind="refused"), finding("x", Status.CRITICAL, kind="no_answer"), False),
        (critical("x", kind="refused"), finding("x", Status.CRITICAL), None),
        (critical("x", kind="refused"), finding("x", Status.OK), False),
        (critical("x", kind="refused"), finding("x", Status.UNKNOWN, kind="refused"), None),
        (not_bad("x"), finding("x", Status.OK), True),
        (not_bad("x"), finding("x", Status.CRITICAL), False),
        (not_bad("x"), finding("x", Status.UNKNOWN), None),
        (Condition("x", evidence={"hears": False}), finding("x", Status.CRITICAL, hears=False), True),
        (Condition("x", evidence={"hears": False}), finding("x", Status.CRITICAL, hears=True), False),
        (Condition("x", evidence={"hears": False}), finding("x", Status.CRITICAL, hears=None), None),
    ],
)
def test_a_condition_is_true_false_or_unknown(condition: Condition, found: Finding, answer: bool | None) -> None:
    assert condition.answer(findings(found)) is answer


CAUSES = (
    Cause("fire", "It burns", (critical("heat"),), branch="extinguish", hides=("smoke",)),
    Cause("smoke", "It smokes", (bad("air"),)),
    Cause("draught", "A window is open", (bad("air"), bad("window"))),
)


def test_the_first_confirmed_cause_is_named_and_hides_what_it_brings_about() -> None:
    judged = diagnose([finding("heat", Status.CRITICAL), finding("air", Status.WARNING)], CAUSES)
    assert judged["likely"]["id"] == "fire"
    assert judged["also"] == []
    assert judged["likely"]["rests_on"] == ["heat: heat is critical"]


def test_a_second_cause_that_is_not_brought_about_is_named_too() -> None:
    seen = [finding("heat", Status.CRITICAL), finding("air", Status.WARNING), finding("window", Status.WARNING)]
    judged = diagnose(seen, CAUSES)
    assert [judged["likely"]["id"], *(cause["id"] for cause in judged["also"])] == ["fire", "draught"]


def test_what_could_not_be_read_confirms_nothing_and_is_said() -> None:
    judged = diagnose([finding("air", Status.WARNING), finding("window", Status.UNKNOWN)], CAUSES)
    assert judged["likely"]["id"] == "smoke"
    assert judged["possible"] == [{"id": "draught", "title": "A window is open", "unread": ["window"]}]


def test_nothing_read_names_no_cause_and_suspects_none() -> None:
    judged = diagnose([finding("air", Status.UNKNOWN), finding("heat", Status.UNKNOWN)], CAUSES)
    assert judged == {"likely": None, "also": [], "possible": []}


def test_a_branch_is_refused_with_what_it_needs_and_what_is_seen() -> None:
    branch = Branch("extinguish", "Put it out", (critical("heat"), ok("water")), "none")
    assert refusals(branch, [finding("heat", Status.CRITICAL), finding("water", Status.OK)]) == []
    assert refusals(branch, [finding("heat", Status.OK), finding("water", Status.UNKNOWN)]) == [
        "needs: heat is critical; seen: ok, heat is ok",
        "needs: water is ok; seen: unknown, water is unknown",
    ]
    assert refusals(branch, [finding("water", Status.OK)]) == ["needs: heat is critical; seen: not read"]


def test_no_finding_at_all_is_unknown_and_never_ok() -> None:
    assert worst([]) is Status.UNKNOWN
    assert worst([finding("a", Status.OK), unread("b", "b", ValueError("x"))]) is Status.UNKNOWN
    assert worst([finding("a", Status.WARNING), finding("b", Status.UNKNOWN)]) is Status.WARNING


def test_a_finding_survives_the_way_through_a_result() -> None:
    original = Finding("a.b", "b", Status.CRITICAL, "text", {"n": 1}, "because", "do this")
    assert Finding.from_result(original.to_result()) == original
