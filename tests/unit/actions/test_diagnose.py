# SPDX-License-Identifier: GPL-3.0-or-later
"""A branch is chosen by the evidence, and refused by it, also when a person asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.action import diagnose

Run = Callable[..., dict[str, Any]]
Make = Callable[..., dict[str, Any]]


@pytest.fixture
def judge(run: Run) -> Run:
    def apply(findings: list[Any], **options: Any) -> dict[str, Any]:
        return run(diagnose, {"runbook": "database-failure", "findings": findings, **options})

    return apply


@pytest.fixture
def dead_primary(finding: Make) -> list[dict[str, Any]]:
    return [
        finding("postgresql.primary", "critical", kind="refused", reachable=False),
        finding("postgresql.standby", "ok", reachable=True),
        finding("postgresql.replication", "critical", hears_primary=False),
        finding("rds.pitr", "ok"),
        finding("rds.multi_az", multi_az=True),
    ]


def test_the_cause_and_its_branch_are_chosen(judge: Run, dead_primary: list[Any], printed: list[str]) -> None:
    result = judge(dead_primary, choose_branch=True)
    assert not result.get("failed"), result
    assert (result["likely_cause"], result["branch"]) == ("primary_down", "failover")
    assert result["undo"]
    assert printed[-1] == f"Branch: failover, {result['branch_title']}. Undo: {result['undo']}"


def test_without_being_asked_no_branch_is_chosen(judge: Run, dead_primary: list[Any]) -> None:
    result = judge(dead_primary)
    assert result["likely_cause"] == "primary_down"
    assert "branch" not in result


def test_a_branch_that_a_person_asks_for_is_refused_by_the_evidence(judge: Run, dead_primary: list[Any]) -> None:
    result = judge(dead_primary, choose_branch=True, branch="restore")
    assert result["failed"] is True
    assert result["branch"] == "restore"
    assert result["msg"].startswith("branch restore is refused by the evidence: needs: postgresql.standby is critical")
    assert "seen: ok" in result["msg"]


def test_a_branch_that_a_person_asks_for_goes_before_the_recommended_one(judge: Run, finding: Make) -> None:
    seen = [finding("postgresql.locks", "critical"), finding("postgresql.primary"), finding("kubernetes.api")]
    assert judge(seen, choose_branch=True)["branch"] == "end-sessions"
    assert judge(seen, choose_branch=True, branch="repoint")["branch"] == "repoint"


def test_where_nothing_is_confirmed_no_branch_is_chosen(judge: Run, finding: Make) -> None:
    result = judge([finding("postgresql.primary", "unknown")], choose_branch=True)
    assert result["failed"] is True
    assert result["msg"].startswith("no cause is confirmed, so no branch is chosen; remedy: ")


def test_a_cause_without_a_branch_says_what_to_do(judge: Run, finding: Make) -> None:
    result = judge([finding("postgresql.split_brain", "critical")], choose_branch=True)
    assert result["failed"] is True
    assert result["msg"].startswith("no branch resolves split_brain (")
    assert "; remedy: Stop the writes" in result["msg"]


@pytest.mark.parametrize(
    "bad", [[{}], [{"id": "a"}], [{"id": "a", "component": "a", "status": "worse", "summary": ""}]]
)
def test_what_is_no_finding_is_one_line(judge: Run, bad: list[Any]) -> None:
    result = judge(bad)
    assert result["failed"] is True
    assert result["msg"].startswith("findings: not a finding (")


def test_an_unknown_branch_that_reaches_it_is_one_line(judge: Run, dead_primary: list[Any]) -> None:
    result = judge(dead_primary, choose_branch=True, branch="pray")
    assert result["failed"] is True
    assert "unknown branch 'pray'" in result["msg"]


@pytest.mark.parametrize(
    ("show", "findings", "cause"),
    [("everything", True, True), ("findings", True, False), ("cause", False, True), ("nothing", False, False)],
)
def test_what_is_shown_is_what_was_asked_for(
    judge: Run, dead_primary: list[Any], printed: list[str], show: str, findings: bool, cause: bool
) -> None:
    judge(dead_primary, show=show)
    assert any(line.startswith("  critical") for line in printed) is findings
    assert any(line.startswith("Likely cause: ") for line in printed) is cause
