# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook triage``: one run, one answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from dhakacart_runbooks.cli import triage
from dhakacart_runbooks.events import Diagnosed, EnvironmentKnown, FindingsRead
from dhakacart_runbooks.finding import Finding, Status
from dhakacart_runbooks.outcome import RunStatus
from typer.testing import CliRunner, Result

from tests.unit.wrapper.run.scripted import ScriptedLauncher

Type = Callable[..., Result]
PLAYBOOK = "ansible-playbook playbooks/database-failure.yml --tags"
LIKELY = {
    "id": "primary_down",
    "title": "The primary is down",
    "runbook": "database-failure",
    "rests_on": ["postgresql.primary: refused"],
    "resolution": {"branch": "failover", "title": "Fail over", "undo": "fail back", "refused": []},
}
BROKEN: dict[str, Any] = {
    "likely": LIKELY,
    "also": [{"id": "lag", "title": "The standby lags"}],
    "possible": [{"id": "disk", "title": "The disk is full", "unread": ["rds.storage"]}],
    "healthy": False,
    "asked": [],
    "since": {"seconds": 40.0, "sign": "too few backends are available"},
    "rto": {"seconds": 300.0, "left": 260.0},
    "next": f"{PLAYBOOK} immediate",
    "why": "keeps the evidence",
    "then": f"{PLAYBOOK} resolution -e approve=true",
}
HEALTHY: dict[str, Any] = {"likely": None, "also": [], "possible": [], "healthy": True, "next": "nothing", "rto": {}}
DOWN = (
    Finding("http.ready", "shop", Status.CRITICAL, "/ready: 503"),
    Finding("postgresql.primary", "primary", Status.CRITICAL, "refused"),
    Finding("redis.reachable", "cache", Status.OK, "answers"),
)
WELL = (Finding("http.ready", "shop", Status.OK, "/ready: 200"),)


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """``type_(launcher, "triage", ...)``: what a person would see."""

    def apply(launcher: ScriptedLauncher, *words: str) -> Result:
        monkeypatch.setattr(triage, "make_launcher", lambda _catalogue, _observers: launcher)
        monkeypatch.setattr(triage, "make_observers", lambda *, history: [])
        app = typer.Typer()
        app.callback()(lambda: None)
        triage.add(app)
        return CliRunner().invoke(app, ["triage", *words], env={"NO_COLOR": "1"})

    return apply


def answering(findings: tuple[Finding, ...], diagnosis: dict[str, Any], **ended: Any) -> ScriptedLauncher:
    script = [
        EnvironmentKnown(environment="lab", name="dhakacart-lab us-west-2", record="", budgets={}),
        FindingsRead(section="", findings=findings),
        Diagnosed(section="", diagnosis=diagnosis),
    ]
    return ScriptedLauncher(script, **ended)


def test_it_is_one_reading_run_that_ends_by_itself(type_: Type) -> None:
    launcher = answering(WELL, HEALTHY)
    type_(launcher, "too", "many", "connections", "-i", "staging")
    (request,) = launcher.requests
    assert (request.runbook, request.sections, request.inventory) == ("triage", (), "staging")
    assert request.variables["triage_asked"][0] == "database-failure"
    assert request.timeout is not None


def test_without_words_nothing_is_preferred(type_: Type) -> None:
    launcher = answering(WELL, HEALTHY)
    type_(launcher)
    assert launcher.requests[0].variables == {}


def test_what_is_broken_why_and_what_to_type_in_this_order(type_: Type) -> None:
    result = type_(answering(DOWN, BROKEN, status=RunStatus.UNHEALTHY))
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "triage        dhakacart-lab us-west-2        4.0 s",
        "Customers critical",
        "  critical  shop  /ready: 503",
        "Platform critical",
        "  critical  primary  refused",
        "  ok        cache",
        "Likely cause: The primary is down (primary_down)",
        "  because   postgresql.primary: refused",
        "  also      The standby lags (lag)",
        "  possible  The disk is full: rds.storage could not be read",
        "Resolution: Fail over (branch failover)",
        "  undo      fail back",
        "RTO 5:00: 4:20 left (too few backends are available for 0:40)",
        "Next: runbook run database-failure -s immediate",
        "      keeps the evidence",
        'Then: runbook run database-failure -s resolution --approve "why"',
    ]


def test_a_missed_objective_is_said_and_an_unknown_beginning_too(type_: Type) -> None:
    late = {**BROKEN, "rto": {"seconds": 300.0, "left": -65.0}, "since": {"seconds": 365.0, "sign": "it is down"}}
    assert "RTO 5:00: missed by 1:05 (it is down for 6:05)" in type_(answering(DOWN, late)).stdout
    unknown = {**BROKEN, "rto": {"seconds": 300.0}, "since": {}}
    assert "RTO 5:00: not known since when customers are hurt" in type_(answering(DOWN, unknown)).stdout


def test_a_branch_that_is_refused_says_why(type_: Type) -> None:
    resolution = {**LIKELY["resolution"], "refused": ["needs: a standby"]}  # type: ignore[dict-item]
    result = type_(answering(DOWN, {**BROKEN, "likely": {**LIKELY, "resolution": resolution}}))
    assert "  refused   needs: a standby" in result.stdout


def test_healthy_is_one_verdict_and_exit_code_0(type_: Type) -> None:
    result = type_(answering(WELL, HEALTHY))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Healthy: every system answers, and no runbook's cause is present."


def test_warnings_are_not_hidden_by_a_healthy_verdict(type_: Type) -> None:
    slow = Finding("http.latency", "shop", Status.WARNING, "slow")
    result = type_(answering((*WELL, slow), HEALTHY))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("Healthy, with 1 warning: ")


def test_a_run_that_came_to_no_judgement_is_never_healthy(type_: Type) -> None:
    assert type_(ScriptedLauncher(status=RunStatus.HEALTHY)).exit_code == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(RunStatus.BROKEN, 4), (RunStatus.REFUSED, 1), (RunStatus.TIMEOUT, 3), (RunStatus.CANCELLED, 3)],
)
def test_a_run_that_did_not_end_is_one_line(type_: Type, status: RunStatus, code: int) -> None:
    message = "dhakacart_db_host: lab 'lab' is not up; remedy: runbook lab up"
    result = type_(ScriptedLauncher(status=status, message=message))
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == f"runbook triage: {message}\n"


def test_json_is_one_document(type_: Type) -> None:
    result = type_(answering(DOWN, BROKEN, status=RunStatus.UNHEALTHY), "--json", "too", "many", "connections")
    document = json.loads(result.stdout)
    assert document["exit_code"] == result.exit_code == 2
    assert document["diagnosis"]["likely"]["id"] == "primary_down"
    assert document["runbooks"][0] == {"slug": "database-failure", "title": "Database Failure", "written": True}
    assert [finding["id"] for finding in document["findings"]] == [finding.id for finding in DOWN]


def test_a_runbook_that_is_not_written_is_said_with_what_there_is_instead(type_: Type) -> None:
    result = type_(answering(DOWN, {**BROKEN, "asked": ["network-issues"]}), "network")
    assert "Network Issues is not automated yet" in result.stdout


def test_an_unknown_alert_starts_nothing(type_: Type) -> None:
    launcher = ScriptedLauncher()
    result = type_(launcher, "--alert", "NoSuchAlert")
    assert (result.exit_code, launcher.requests, result.stdout) == (1, [], "")
    assert result.stderr.startswith("runbook triage: --alert: unknown alert 'NoSuchAlert'; remedy: ")
    assert result.stderr.count("\n") == 1
