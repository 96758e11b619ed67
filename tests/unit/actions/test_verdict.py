# SPDX-License-Identifier: GPL-3.0-or-later
"""When an incident may be called over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.action import verdict
from ansible_collections.dhakacart.runbooks.plugins.action.verdict import not_recovered, open_risks
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Run

Action = Callable[..., dict[str, Any]]
Make = Callable[..., dict[str, Any]]

NONE: dict[str, Any] = {"likely": None, "also": [], "possible": []}
GATES = ["http.ready", "postgresql.primary"]


def cause(name: str, *, risk: bool) -> dict[str, Any]:
    return {"id": name, "title": name.upper(), "risk": risk, "branch": "", "next_step": "", "rests_on": []}


@pytest.fixture
def well(finding: Make) -> list[dict[str, Any]]:
    return [finding(name) for name in GATES]


def test_all_gates_ok_and_no_cause_is_recovered(well: list[dict[str, Any]]) -> None:
    assert not_recovered(well, NONE, GATES, None) == []


@pytest.mark.parametrize("status", ["unknown", "warning", "critical"])
def test_a_gate_that_is_not_ok_is_a_reason(finding: Make, status: str) -> None:
    seen = [finding("http.ready", status), finding("postgresql.primary")]
    assert not_recovered(seen, NONE, GATES, None) == [f"http.ready is {status}: http.ready is {status}"]


def test_a_gate_that_was_not_read_is_a_reason(finding: Make) -> None:
    assert not_recovered([finding("http.ready")], NONE, GATES, None) == ["postgresql.primary was not read"]


def test_a_cause_of_an_outage_is_a_reason_whatever_the_incident_was_opened_for(well: list[dict[str, Any]]) -> None:
    judged = {"likely": cause("lock_pileup", risk=False), "also": []}
    for opened_with in (None, frozenset(), frozenset({"primary_down"})):
        assert not_recovered(well, judged, GATES, opened_with) == [
            "the cause is still there: LOCK_PILEUP (lock_pileup)"
        ]


@pytest.mark.parametrize(
    ("opened_with", "recovered"),
    [
        (frozenset({"primary_down"}), True),  # the failover left no standby: a risk, but the outage is over
        (frozenset(), True),
        (frozenset({"standby_down"}), False),  # this is what the incident is about
        (None, False),  # nothing is kept of the opening: it may be what it is about
    ],
)
def test_a_mere_risk_is_a_reason_only_where_the_incident_may_be_about_it(
    well: list[dict[str, Any]], opened_with: frozenset[str] | None, recovered: bool
) -> None:
    judged = {"likely": None, "also": [cause("standby_down", risk=True)]}
    assert (not_recovered(well, judged, GATES, opened_with) == []) is recovered


def test_open_risks_are_critical_findings_that_are_no_gate(finding: Make) -> None:
    seen = [
        finding("http.ready", "critical"),
        finding("postgresql.standby", "critical"),
        finding("rds.pitr", "warning"),
        finding("rds.api", "unknown"),
    ]
    assert open_risks(seen, GATES) == ["postgresql.standby is critical: postgresql.standby is critical"]


@pytest.fixture
def judge(run: Action, tmp_path: Path) -> Action:
    def apply(findings: list[dict[str, Any]], diagnosis: dict[str, Any], **keywords: Any) -> dict[str, Any]:
        args = {
            "runbook": "database-failure",
            "environment": "lab",
            "directory": str(tmp_path),
            "findings": findings,
            "diagnosis": diagnosis,
            "must_be_ok": GATES,
        }
        return run(verdict, args, **keywords)

    return apply


def opened(root: Path, findings: list[dict[str, Any]]) -> Path:
    record = Run().opened(root, "lab", "database-failure")
    record.keep({"findings": findings})
    return record.folder


def rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / incidents.TIMELINE).read_text(encoding="utf-8")
    return [json.loads(row) for row in text.splitlines()]


def test_it_shows_what_changed_since_the_opening_and_notes_the_verdict(
    judge: Action, finding: Make, well: list[dict[str, Any]], tmp_path: Path, printed: list[str]
) -> None:
    folder = opened(tmp_path, [finding("http.ready", "critical"), finding("postgresql.primary")])
    result = judge(well, NONE)
    assert result["recovered"] is True
    assert result["incident"] == str(folder)
    changes = [line for line in printed if "->" in line]
    assert len(changes) == 1
    assert changes[0].split()[:4] == ["http.ready", "critical", "->", "ok"]
    assert printed[-1] == "Recovered."
    assert [(row["event"], row.get("recovered")) for row in rows(folder)[1:]] == [
        ("verification", True),
        ("closed", True),
    ]


def test_not_recovered_leaves_the_incident_open(judge: Action, finding: Make, tmp_path: Path) -> None:
    folder = opened(tmp_path, [finding("http.ready", "critical")])
    assert judge([finding("http.ready", "critical"), finding("postgresql.primary")], NONE)["recovered"] is False
    assert [row["event"] for row in rows(folder)] == ["opened", "verification"]
    assert incidents.latest(tmp_path, "lab", "database-failure") == folder


def test_a_second_verification_still_compares_with_the_opening_state_of_the_closed_incident(
    judge: Action, finding: Make, well: list[dict[str, Any]], tmp_path: Path
) -> None:
    folder = opened(tmp_path, [finding("http.ready", "critical"), finding("postgresql.primary")])
    judge(well, NONE)
    noted = len(rows(folder))
    again = judge(well, NONE)
    assert (again["recovered"], again["incident"]) == (True, str(folder))
    assert len(rows(folder)) == noted


def test_check_mode_leaves_the_timeline_alone(judge: Action, well: list[dict[str, Any]], tmp_path: Path) -> None:
    folder = opened(tmp_path, well)
    assert judge(well, NONE, check_mode=True)["recovered"] is True
    assert [row["event"] for row in rows(folder)] == ["opened"]


def test_recovered_with_open_risks_says_so(judge: Action, finding: Make, well: list[Any], printed: list[str]) -> None:
    result = judge([*well, finding("postgresql.standby", "critical")], NONE)
    assert result["recovered"] is True
    assert result["risks"] == ["postgresql.standby is critical: postgresql.standby is critical"]
    assert printed[-1] == "Recovered, with open risks."


def test_without_an_opening_state_it_still_judges(judge: Action, finding: Make, printed: list[str]) -> None:
    result = judge([finding("http.ready", "critical"), finding("postgresql.primary")], NONE)
    assert result["recovered"] is False
    assert result["incident"] == ""
    assert printed[0].startswith("No opening state is kept")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"findings": 7}', '{"findings": [7]}', '{"findings": [{"id": "http.ready"}]}']
)
def test_a_corrupt_opening_state_counts_as_none(judge: Action, well: list[Any], tmp_path: Path, text: str) -> None:
    folder = opened(tmp_path, well)
    (folder / incidents.OPENING).write_text(text)
    assert judge(well, NONE)["recovered"] is True


def test_a_timeline_that_cannot_be_written_does_not_hide_the_verdict(
    judge: Action, well: list[Any], tmp_path: Path, printed: list[str]
) -> None:
    folder = opened(tmp_path, well)
    (folder / incidents.TIMELINE).unlink()
    (folder / incidents.TIMELINE).mkdir()
    assert judge(well, NONE)["recovered"] is True
    assert "Is a directory" in printed[-1]
