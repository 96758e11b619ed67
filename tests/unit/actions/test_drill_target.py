# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person and a drill are told about a target; the judgement itself is tested with its module_utils."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.dhakacart.runbooks.plugins.action import drill_target_check
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError, Denied
from ansible_collections.dhakacart.runbooks.plugins.module_utils.identity import facts
from ansible_collections.dhakacart.runbooks.plugins.modules import drill_target_check as module

Run = Callable[..., dict[str, Any]]
SYSTEMS = {
    "kubernetes": {"namespace": "shop"},
    "postgresql": {"host": "db.example", "replica_host": "replica.example", "dbname": "shop"},
    "rds": {"region": "us-west-2", "instance": "shop-db"},
}
ARGS = {"systems": SYSTEMS, "environment": "staging", "drillable": True}
SAID = {"environment": "staging", "drillable": "true", "lab_id": "blue-1"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each system says; a test changes it. An exception is raised."""
    said: dict[str, Any] = {name: dict(SAID) for name in ("kubernetes", "db.example", "replica.example", "rds")}

    def answer(name: str) -> dict[str, Any]:
        if isinstance(said[name], Exception):
            raise said[name]
        return {"where": name, "says": said[name]}

    monkeypatch.setattr(facts, "_kubernetes", lambda _settings: answer("kubernetes"))
    monkeypatch.setattr(facts, "_database", lambda _settings, host, _port: answer(host))
    monkeypatch.setattr(facts, "_rds", lambda _settings: answer("rds"))
    return said


def test_a_target_that_agrees_is_one_line_and_a_stat(run: Run, answers: dict[str, Any], printed: list[str]) -> None:
    result = run(drill_target_check, ARGS)
    assert result["healthy"] and not result["changed"]
    assert printed == ["  ok        inventory, kubernetes, database, rds"]
    assert result["ansible_stats"]["data"]["dhakacart_drill_target"] == {
        "environment": "staging",
        "drillable": {"kubernetes": True, "database": True, "rds": True},
        "lab_id": "blue-1",
        "agreed": True,
    }


def test_a_replica_of_production_is_seen_behind_a_primary_of_staging(
    run: Run, answers: dict[str, Any], printed: list[str]
) -> None:
    answers["replica.example"] = {**SAID, "environment": "prod", "drillable": ""}
    result = run(drill_target_check, ARGS)
    assert result["status"] == "critical"
    assert "replica.example says it is prod" in printed[0]
    assert not any(row.startswith("  if it may be drilled") for row in printed)


def test_what_says_nothing_is_told_how_to_say_it(run: Run, answers: dict[str, Any], printed: list[str]) -> None:
    answers["db.example"] = dict.fromkeys(SAID, "")
    result = run(drill_target_check, ARGS)
    assert not result["target"]["agreed"]
    assert any("ALTER DATABASE shop SET dhakacart.environment = 'staging'" in row for row in printed)


@pytest.mark.parametrize("error", [Denied("HTTP 403", where="kubernetes"), ConfigurationError("no such file")])
def test_a_system_that_cannot_be_asked_is_no_consent(run: Run, answers: dict[str, Any], error: Exception) -> None:
    answers["kubernetes"] = error
    result = run(drill_target_check, ARGS)
    assert result["status"] == "unknown"
    assert result["target"]["drillable"] == {"kubernetes": None, "database": True, "rds": True}


@pytest.mark.parametrize("missing", SYSTEMS)
def test_a_system_without_options_is_a_mistake_in_the_inventory(run: Run, missing: str) -> None:
    result = run(drill_target_check, {**ARGS, "systems": {**SYSTEMS, missing: {}}})
    assert result["failed"]
    assert result["msg"] == f"systems.{missing}: options are missing; remedy: set it in the inventory"


def test_without_a_word_of_the_inventory_nothing_may_be_drilled(run: Run, answers: dict[str, Any]) -> None:
    assert run(drill_target_check, {"systems": SYSTEMS, "environment": "staging"})["status"] == "critical"


def test_names_of_marks_are_found_where_the_platform_puts_them() -> None:
    labels = {"environment": "production", "dhakacart.com/environment": "staging", "dhakacart.com/drillable": "true"}
    assert facts._says(labels, facts.LABELS) == {"environment": "staging", "drillable": "true", "lab_id": ""}
    assert facts._says({"environment": "production"}, facts.LABELS)["environment"] == "production"


def test_documentation_and_options_are_the_same() -> None:
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert documented.keys() == module.ARGUMENT_SPEC.keys()
    assert set(yaml.safe_load(module.RETURN)) >= {"findings", "status", "healthy", "target"}
