# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook doctor``: what a person reads, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from dhakacart_runbooks.cli import doctor
from dhakacart_runbooks.doctor import inventory
from dhakacart_runbooks.doctor.check import Check, State
from dhakacart_runbooks.events import FindingsRead
from dhakacart_runbooks.finding import Finding, Status
from dhakacart_runbooks.outcome import RunStatus
from typer.testing import CliRunner, Result

from tests.unit.wrapper.run.scripted import ScriptedLauncher

Type = Callable[..., Result]
ANSWERS = tuple(
    Finding(name, "x", Status.OK, "answers", {"clock_skew_seconds": 0})
    for name in ("http.ready", "kubernetes.api", "postgresql.primary", "rds.api", "redis.reachable")
)


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Type:
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(tmp_path))
    well = inventory.Read(
        Check("inventory", "inventory", State.OK, "lab"), ("lab",), {"dhakacart_incident_dir": "/tmp"}
    )
    monkeypatch.setattr(inventory, "read", lambda _catalogue, _request: well)

    def apply(launcher: ScriptedLauncher, *words: str) -> Result:
        monkeypatch.setattr(doctor, "make_launcher", lambda _catalogue, _observers: launcher)
        app = typer.Typer()
        app.callback()(lambda: None)
        doctor.add(app)
        return CliRunner().invoke(app, ["doctor", *words], env={"NO_COLOR": "1"})

    return apply


def test_a_machine_that_is_fit_says_so_and_changed_nothing(type_: Type) -> None:
    launcher = ScriptedLauncher([FindingsRead(section="", findings=ANSWERS)])
    result = type_(launcher)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-2:] == ["Fit to run.", "Next: runbook triage"]
    (request,) = launcher.requests
    assert (request.runbook, request.check) == ("triage", True)


def test_a_system_that_does_not_answer_leaves_the_answer_open(type_: Type) -> None:
    silent = Finding("rds.api", "AWS API", Status.UNKNOWN, "no answer in 3 s", {"kind": "no_answer"})
    findings = (*(finding for finding in ANSWERS if finding.id != "rds.api"), silent)
    result = type_(ScriptedLauncher([FindingsRead(section="", findings=findings)], status=RunStatus.UNHEALTHY))
    assert result.exit_code == 4
    assert "  unknown   AWS                no answer in 3 s" in result.stdout
    assert "remedy: check route, firewall and VPN" in result.stdout


def test_an_inventory_that_is_not_whole_is_unfit_and_says_what_to_do(type_: Type) -> None:
    message = "dhakacart_db_host: is not set; remedy: set it in required.yml"
    result = type_(ScriptedLauncher(status=RunStatus.BROKEN, message=message))
    assert result.exit_code == 2
    assert "dhakacart_db_host: is not set" in result.stdout
    assert "remedy: set it in required.yml" in result.stdout
    assert result.stdout.splitlines()[-1] == "Not fit to run: 1 bad, 0 unknown."


def test_an_inventory_that_cannot_be_used_ends_the_questions(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = inventory.Read(Check("inventory", "inventory", State.BAD, "no host in group 'primary'", "add one"))
    monkeypatch.setattr(inventory, "read", lambda _catalogue, _request: bad)
    launcher = ScriptedLauncher()
    result = type_(launcher)
    assert (result.exit_code, launcher.requests) == (2, [])
    assert "remedy: add one" in result.stdout


def test_json_has_every_check_and_the_verdict(type_: Type) -> None:
    result = type_(ScriptedLauncher([FindingsRead(section="", findings=ANSWERS)]), "--json")
    document = json.loads(result.stdout)
    assert document["exit_code"] == 0
    assert {"part", "name", "state", "detail", "remedy"} == set(document["checks"][0])
    assert {check["state"] for check in document["checks"]} == {"ok"}


def test_an_unknown_inventory_is_one_line(type_: Type) -> None:
    result = type_(ScriptedLauncher(), "-i", "stagin")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did you mean staging?" in result.stderr
    assert result.stderr.count("\n") == 1
