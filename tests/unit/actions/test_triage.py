# SPDX-License-Identifier: GPL-3.0-or-later
"""The causes of all runbooks in one ranking, and the safest thing to type next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.action import triage as action
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.diagnosis import (
    Branch,
    Cause,
    Runbook,
    bad,
    critical,
)
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.triage import earliest_sign, rank

Run = Callable[..., dict[str, Any]]
Make = Callable[..., dict[str, Any]]

PLAYBOOK = "ansible-playbook playbooks/database-failure.yml --tags"
DOWN = [
    ("http.ready", "critical", {}),
    ("postgresql.primary", "critical", {"kind": "refused"}),
    ("postgresql.standby", "ok", {"reachable": True, "in_recovery": True}),
    ("postgresql.replication", "critical", {"hears_primary": False}),
    ("rds.multi_az", "ok", {"multi_az": True}),
]


@pytest.fixture
def judge(run: Run, finding: Make) -> Run:
    """``judge([(id, status, evidence)...], variables, **options)``."""

    def apply(
        seen: list[tuple[str, str, dict[str, Any]]], variables: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        found = [finding(name, status, **evidence) for name, status, evidence in seen]
        return run(action, {"findings": found, "rto_seconds": 300, **options}, variables)

    return apply


def test_a_confirmed_cause_leads_to_its_evidence_first_and_its_resolution_then(judge: Run) -> None:
    result = judge(DOWN)
    assert result["likely_cause"] == "primary_down"
    assert result["next"] == f"{PLAYBOOK} immediate"
    diagnosis = result["diagnosis"]
    assert diagnosis["then"] == f"{PLAYBOOK} resolution -e approve=true"
    assert diagnosis["likely"]["runbook"] == "database-failure"
    assert diagnosis["likely"]["resolution"] == {
        "branch": "failover",
        "title": "Fail over to the standby",
        "undo": "a later failover back, once the old primary has become a standby",
        "refused": [],
    }
    assert diagnosis["healthy"] is False


def test_where_no_approval_is_asked_the_resolution_names_none(judge: Run) -> None:
    result = judge(DOWN, {"dhakacart_approval_required": False})
    assert result["diagnosis"]["then"] == f"{PLAYBOOK} resolution"


def test_a_branch_that_the_evidence_forbids_is_not_the_next_command(judge: Run) -> None:
    """Without Multi-AZ a reboot with failover would end the only primary."""
    seen = [*DOWN[:-1], ("rds.multi_az", "warning", {"multi_az": False})]
    diagnosis = judge(seen)["diagnosis"]
    assert diagnosis["likely"]["resolution"]["refused"]
    assert "resolution" not in diagnosis["then"]
    assert diagnosis["then"] == f"{PLAYBOOK} escalation"


def test_a_cause_that_no_branch_resolves_says_what_to_do_instead(judge: Run) -> None:
    seen = [("postgresql.role", "critical", {"in_recovery": False, "transaction_read_only": True})]
    diagnosis = judge(seen)["diagnosis"]
    assert diagnosis["likely"]["id"] == "primary_read_only"
    assert diagnosis["likely"]["resolution"] == {}
    assert diagnosis["then"].startswith("Find who set default_transaction_read_only")


def test_a_risk_that_hurts_nobody_leads_to_reading(judge: Run) -> None:
    seen = [
        ("postgresql.primary", "ok", {}),
        ("postgresql.role", "ok", {}),
        ("postgresql.standby", "critical", {"kind": "refused"}),
    ]
    diagnosis = judge(seen)["diagnosis"]
    assert diagnosis["likely"]["risk"] is True
    assert diagnosis["next"] == f"{PLAYBOOK} investigation"
    assert diagnosis["rto"] == {}


def test_something_critical_without_a_cause_keeps_the_evidence_and_tells_people(judge: Run) -> None:
    diagnosis = judge([("http.ready", "critical", {})])["diagnosis"]
    assert diagnosis["likely"] is None
    assert (diagnosis["next"], diagnosis["then"]) == (f"{PLAYBOOK} immediate", f"{PLAYBOOK} escalation")


def test_what_could_not_be_read_is_named_and_not_healthy(judge: Run) -> None:
    diagnosis = judge([("http.ready", "ok", {}), ("rds.api", "unknown", {"kind": "no_answer"})])["diagnosis"]
    assert diagnosis["healthy"] is False
    assert "rds.api could not be read" in diagnosis["why"]
    assert not diagnosis["next"].startswith("nothing")


@pytest.mark.parametrize("kind", ["not_configured", "no_samples"])
def test_what_rightly_has_no_answer_is_no_trouble(judge: Run, kind: str) -> None:
    diagnosis = judge([("http.ready", "ok", {}), ("redis.hit_rate", "unknown", {"kind": kind})])["diagnosis"]
    assert diagnosis["healthy"] is True
    assert diagnosis["next"].startswith("nothing")


def test_reading_nothing_at_all_is_not_healthy(judge: Run) -> None:
    assert judge([])["diagnosis"]["healthy"] is False


def test_a_finding_that_is_none_is_one_line(run: Run) -> None:
    result = run(action, {"findings": [{"id": "x"}], "rto_seconds": 300})
    assert result["failed"] is True
    assert result["msg"].startswith("findings: not a finding")


def test_the_time_that_is_left_is_counted_from_the_earliest_sign(judge: Run) -> None:
    facts = {"kubernetes": {"deployment": {"conditions": [{"type": "Available", "status": "False", "seconds": 40}]}}}
    diagnosis = judge(DOWN, facts=facts)["diagnosis"]
    assert diagnosis["since"] == {"seconds": 40.0, "sign": "too few backends are available"}
    assert diagnosis["rto"] == {"seconds": 300.0, "left": 260.0}


def test_where_no_system_keeps_the_beginning_no_time_is_made_up(judge: Run, printed: list[str]) -> None:
    diagnosis = judge(DOWN)["diagnosis"]
    assert diagnosis["rto"] == {"seconds": 300.0}
    assert "RTO 5:00: since when customers are hurt is not known" in printed


def test_a_runbook_without_rules_is_said_to_be_unwritten(judge: Run, printed: list[str]) -> None:
    diagnosis = judge(DOWN, asked=["network-issues", "database-failure"])["diagnosis"]
    assert diagnosis["asked"] == ["network-issues"]
    assert any(line.startswith("network-issues has no playbook yet") for line in printed)


def test_people_read_the_customers_view_before_the_platform(judge: Run, printed: list[str]) -> None:
    judge(DOWN)
    assert printed[0] == "Customers:"
    assert "http.ready is critical" in printed[1]
    assert printed.index("Platform:") < next(i for i, line in enumerate(printed) if "postgresql.primary" in line)
    assert printed[-1] == f"Then: {PLAYBOOK} resolution -e approve=true"


def cause(name: str, *tests: Any, **options: Any) -> Cause:
    return Cause(name, f"{name} title", tests, **options)


def book(slug: str, *causes: Cause, **branches: Branch) -> Runbook:
    return Runbook(slug, causes, branches)


def found(name: str, status: str, **evidence: Any) -> Finding:
    return Finding.from_result({"id": name, "component": name, "status": status, "summary": "", "evidence": evidence})


def ids(ranked: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in (ranked["likely"], *ranked["also"]) if entry]


def test_what_hurts_now_stands_before_a_risk_of_another_runbook() -> None:
    books = [book("a", cause("risk", critical("x"), risk=True)), book("b", cause("hurts", bad("y")))]
    assert ids(rank([found("x", "critical"), found("y", "warning")], books)) == ["hurts", "risk"]


def test_worse_evidence_stands_before_the_runbook_that_was_asked_for() -> None:
    books = [book("a", cause("worse", critical("x"))), book("b", cause("asked", bad("y")))]
    findings = [found("x", "critical"), found("y", "warning")]
    assert ids(rank(findings, books, ["b"])) == ["worse", "asked"]


def test_between_equals_the_runbook_that_was_asked_for_comes_first() -> None:
    books = [book("a", cause("first", critical("x"))), book("b", cause("second", critical("y")))]
    findings = [found("x", "critical"), found("y", "critical")]
    assert ids(rank(findings, books)) == ["first", "second"]
    assert ids(rank(findings, books, ["b"])) == ["second", "first"]


def test_a_cause_explains_what_it_brings_about_in_other_runbooks() -> None:
    books = [book("a", cause("pods", bad("y"))), book("b", cause("database", critical("x"), hides=("pods",)))]
    ranked = rank([found("x", "critical"), found("y", "warning")], books)
    assert ids(ranked) == ["database"]


def test_a_cause_that_two_runbooks_know_is_named_once() -> None:
    books = [book(slug, cause("same", critical("x"))) for slug in ("a", "b")]
    ranked = rank([found("x", "critical")], books, ["b"])
    assert ids(ranked) == ["same"]
    assert ranked["likely"]["runbook"] == "b"


def test_what_is_not_ruled_out_says_what_was_not_read_and_whose_it_is() -> None:
    books = [book("a", cause("maybe", critical("x"), critical("unread")))]
    assert rank([found("x", "critical")], books)["possible"] == [
        {"id": "maybe", "title": "maybe title", "unread": ["unread"], "runbook": "a"}
    ]


@pytest.mark.parametrize("value", [None, "soon", True, -1])
def test_an_absurd_time_is_no_sign(value: Any) -> None:
    facts = {"kubernetes": {"deployment": {"conditions": [{"type": "Available", "status": "False", "seconds": value}]}}}
    assert earliest_sign([found("postgresql.locks", "critical", longest_held_seconds=value)], facts) == {}


def test_the_longest_of_several_signs_counts_and_one_of_a_finding_that_is_ok_does_not() -> None:
    findings = [
        found("postgresql.locks", "critical", longest_held_seconds=70),
        found("postgresql.long_queries", "ok", longest_seconds=900),
        found("postgresql.replication", "critical", last_message_seconds=12),
    ]
    assert earliest_sign(findings, {}) == {"seconds": 70.0, "sign": "a lock is held"}
