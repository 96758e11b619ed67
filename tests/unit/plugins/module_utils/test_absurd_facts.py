# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a system answers, a judgement gives findings: it never raises, and never calls OK what it could not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status
from ansible_collections.dhakacart.runbooks.plugins.module_utils.drift import checks as drift
from ansible_collections.dhakacart.runbooks.plugins.module_utils.http import system as http
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes import system as kubernetes
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql import system as postgresql
from ansible_collections.dhakacart.runbooks.plugins.module_utils.rds import system as rds
from ansible_collections.dhakacart.runbooks.plugins.module_utils.redis import system as redis

SYSTEMS = {system.NAME: system for system in (http, kubernetes, postgresql, rds, redis)}
Mutations = Callable[[dict[str, Any]], list[tuple[str, Any, dict[str, Any]]]]


def healthy(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / name / "healthy.json").read_text())
    return found


@pytest.mark.parametrize("name", SYSTEMS)
def test_no_absurd_value_anywhere_makes_a_judgement_raise(name: str, mutations: Mutations) -> None:
    for path, value, facts in mutations(healthy(name)):
        try:
            findings = SYSTEMS[name].judge(facts, {})
        except Exception as error:
            pytest.fail(f"{path} = {value!r}: {error!r}")
        assert findings, f"{path} = {value!r}: no finding at all"
        for finding in findings:
            assert finding.id.startswith(f"{name}."), path
            assert finding.summary, path


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_part_that_was_not_read_is_never_ok(name: str) -> None:
    facts = healthy(name)
    complete = {finding.id: finding.status for finding in SYSTEMS[name].judge(facts, {})}
    assert Status.OK in complete.values()
    empty = SYSTEMS[name].judge({}, {})
    assert {finding.status for finding in empty} == {Status.UNKNOWN}


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("facts", [None, [], "text", 3])
def test_facts_of_the_wrong_type_are_unknown(name: str, facts: Any) -> None:
    assert {finding.status for finding in SYSTEMS[name].judge(facts, {})} == {Status.UNKNOWN}


def test_drift_judges_absurd_facts_as_unknown(mutations: Mutations) -> None:
    facts = {"kubernetes": healthy("kubernetes"), "rds": healthy("rds")}
    for path, value, mutated in mutations(facts):
        try:
            findings = drift.judge(mutated)
        except Exception as error:
            pytest.fail(f"{path} = {value!r}: {error!r}")
        assert [finding.id for finding in findings] == ["drift.credentials", "drift.host"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_findings_survive_the_way_through_json(name: str) -> None:
    for finding in SYSTEMS[name].judge(healthy(name), {}):
        assert Finding.from_result(json.loads(json.dumps(finding.to_result()))) == finding
