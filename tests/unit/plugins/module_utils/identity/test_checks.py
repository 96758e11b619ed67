# SPDX-License-Identifier: GPL-3.0-or-later
"""Only what says itself, everywhere and alike, that it may be broken on purpose may be broken on purpose."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status
from ansible_collections.dhakacart.runbooks.plugins.module_utils.identity import checks

SYSTEMS = ("kubernetes", "primary", "replica", "rds")
NAMES = {"namespace": "dhakacart", "database": "dhakacart"}


def said(**changes: str) -> dict[str, Any]:
    return {"where": "there", "says": {"environment": "staging", "drillable": "true", "lab_id": "", **changes}}


@pytest.fixture
def facts() -> dict[str, Any]:
    return {system: said() for system in SYSTEMS}


def judged(facts: dict[str, Any], environment: str = "staging", drillable: bool = True) -> dict[str, Finding]:
    return {found.id: found for found in checks.judge(facts, environment, drillable, NAMES)}


def statuses(facts: dict[str, Any], environment: str = "staging", drillable: bool = True) -> dict[str, str]:
    return {name: str(found.status) for name, found in judged(facts, environment, drillable).items()}


def test_all_agree(facts: dict[str, Any]) -> None:
    findings = checks.judge(facts, "staging", True, NAMES)
    assert {str(finding.status) for finding in findings} == {"ok"}
    assert checks.summary(facts, findings, "staging") == {
        "environment": "staging",
        "drillable": {"kubernetes": True, "database": True, "rds": True},
        "lab_id": "",
        "agreed": True,
    }


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"environment": "production"}, "critical"),
        ({"environment": "prod"}, "critical"),
        ({"environment": "PROD "}, "critical"),
        ({"environment": "dev"}, "critical"),
        ({"environment": ""}, "unknown"),
        ({"drillable": "false"}, "critical"),
        ({"drillable": "perhaps"}, "critical"),
        ({"drillable": ""}, "unknown"),
        ({"environment": "Staging"}, "ok"),
        ({"drillable": "True"}, "ok"),
    ],
)
def test_each_system_has_a_veto(facts: dict[str, Any], system: str, change: dict[str, str], status: str) -> None:
    facts[system] = said(**change)
    finding = "database" if system in ("primary", "replica") else system
    found = statuses(facts)
    assert found.pop(f"identity.{finding}") == status
    assert set(found.values()) == {"ok"}
    findings = checks.judge(facts, "staging", True, NAMES)
    assert checks.summary(facts, findings, "staging")["agreed"] is (status == "ok")


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_cannot_be_read_is_unknown_and_no_consent(facts: dict[str, Any], system: str) -> None:
    facts[system] = {"error": {"kind": "no_route", "message": "no TCP connection in 3 s"}}
    findings = checks.judge(facts, "staging", True, NAMES)
    name = "database" if system in ("primary", "replica") else system
    (found,) = [finding for finding in findings if finding.status is not Status.OK]
    assert (found.id, str(found.status)) == (f"identity.{name}", "unknown")
    assert "no TCP connection" in found.summary
    summary = checks.summary(facts, findings, "staging")
    assert summary["drillable"][name] is None
    assert summary["agreed"] is False


def test_a_system_that_says_nothing_gets_the_command_that_makes_it(facts: dict[str, Any]) -> None:
    facts["kubernetes"] = said(environment="", drillable="")
    assert "kubectl label namespace dhakacart" in judged(facts)["identity.kubernetes"].next_step
    facts["kubernetes"] = said(environment="production", drillable="")
    assert judged(facts)["identity.kubernetes"].next_step == "", "nobody is told how to make production drillable"


@pytest.mark.parametrize("environment", ["prod", "production"])
def test_production_is_never_drilled_even_if_everything_says_so(facts: dict[str, Any], environment: str) -> None:
    everywhere = {system: said(environment=environment) for system in SYSTEMS}
    assert set(statuses(everywhere, environment).values()) == {"critical"}


def test_an_inventory_that_does_not_allow_drills_is_enough(facts: dict[str, Any]) -> None:
    assert statuses(facts, drillable=False)["identity.inventory"] == "critical"


def test_two_labs_at_once_are_no_target(facts: dict[str, Any]) -> None:
    mixed = copy.deepcopy(facts)
    for system in SYSTEMS:
        mixed[system]["says"]["lab_id"] = "blue-1"
    findings = checks.judge(mixed, "staging", True, NAMES)
    assert checks.summary(mixed, findings, "staging")["lab_id"] == "blue-1"
    mixed["rds"]["says"]["lab_id"] = "green-1"
    assert statuses(mixed)["identity.lab"] == "critical"
    mixed["rds"]["says"]["lab_id"] = ""
    assert statuses(mixed)["identity.lab"] == "critical", "one that is of no lab is another system"
