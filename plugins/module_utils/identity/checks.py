# SPDX-License-Identifier: BSD-2-Clause
"""May this be broken on purpose? Judged by what the live systems say, not by what the inventory hopes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status

# Finding -> the parts of the facts that it covers.
SYSTEMS = {"kubernetes": ("kubernetes",), "database": ("primary", "replica"), "rds": ("rds",)}
PRODUCTION = frozenset({"prod", "production", "prd", "live"})
# "production" is what documents say and "prod" what Terraform says.
SAME = {"production": "prod", "prd": "prod"}
HOW = {
    "kubernetes": "kubectl label namespace {namespace} dhakacart.com/environment={environment}"
    " dhakacart.com/drillable=true",
    "database": "ALTER DATABASE {database} SET dhakacart.environment = '{environment}',"
    " and the same with dhakacart.drillable = 'true'",
    "rds": "aws rds add-tags-to-resource, Key=Environment,Value={environment} Key=Drillable,Value=true",
}


def judge(
    facts: Mapping[str, Mapping[str, Any]], environment: str, drillable: bool, names: Mapping[str, str]
) -> list[Finding]:
    """One finding for the inventory and one for each system; all must be ok for a drill.

    :param facts: see :func:`facts.read`.
    :param environment: what the inventory calls the environment.
    :param drillable: what the inventory says of it.
    :param names: ``namespace`` and ``database``, for the command that makes a system say what it is.
    """
    found = [_inventory(environment, drillable)]
    for system, parts in SYSTEMS.items():
        answers = {part: facts[part] for part in parts if part in facts}
        found.append(_system(system, answers, environment, names))
    return _same_lab(found, facts)


def summary(facts: Mapping[str, Mapping[str, Any]], findings: list[Finding], environment: str) -> dict[str, Any]:
    """What a drill has to know: ``environment``, ``drillable`` by system (None: unknown), ``lab_id``, ``agreed``."""
    drillable = {
        system: None
        if any("error" in facts[part] for part in parts if part in facts)
        else all(_true(facts[part]["says"]["drillable"]) for part in parts if part in facts)
        for system, parts in SYSTEMS.items()
    }
    agreed = all(finding.status is Status.OK for finding in findings)
    ids = _lab_ids(facts)
    return {
        "environment": environment,
        "drillable": drillable,
        "lab_id": next(iter(ids)) if len(ids) == 1 else "",
        "agreed": agreed,
    }


def _inventory(environment: str, drillable: bool) -> Finding:
    evidence = {"environment": environment, "drillable": drillable}
    if _plain(environment) in PRODUCTION:
        text = f"the environment is {environment}: production is never broken on purpose"
        return Finding("identity.inventory", "inventory", Status.CRITICAL, text, evidence)
    if not drillable:
        text = f"the inventory does not allow drills in {environment} (dhakacart_drillable is not true)"
        return Finding("identity.inventory", "inventory", Status.CRITICAL, text, evidence)
    return Finding("identity.inventory", "inventory", Status.OK, f"{environment}, drillable", evidence)


def _system(
    system: str, answers: Mapping[str, Mapping[str, Any]], environment: str, names: Mapping[str, str]
) -> Finding:
    name = f"identity.{system}"
    judged = [_answer(answer, environment) for answer in answers.values()]
    status, text = max(judged, key=lambda item: item[0], default=(Status.UNKNOWN, "was not asked"))
    evidence = {part: answer.get("says") or answer.get("error") for part, answer in answers.items()}
    unsaid = status is Status.UNKNOWN and not any("error" in answer for answer in answers.values())
    how = HOW[system].format(environment=environment, **names) if unsaid else ""
    return Finding(name, system, status, text, evidence, "", how)


def _answer(answer: Mapping[str, Any], environment: str) -> tuple[Status, str]:
    if error := answer.get("error"):
        return Status.UNKNOWN, f"not readable: {error['message']}"
    where, says = answer["where"], answer["says"]
    stated, drillable = says["environment"], says["drillable"]
    if _plain(stated) in PRODUCTION:
        return Status.CRITICAL, f"{where} says it is {stated}: production is never broken on purpose"
    if stated and _plain(stated) != _plain(environment):
        return Status.CRITICAL, f"{where} says it is {stated}, the inventory says {environment}"
    if drillable and not _true(drillable):
        return Status.CRITICAL, f"{where} says that it must not be drilled (drillable is {drillable!r})"
    if not stated or not drillable:
        missing = " and ".join(word for word, value in (("environment", stated), ("drillable", drillable)) if not value)
        return Status.UNKNOWN, f"{where} does not say what it is ({missing} not set)"
    return Status.OK, f"{where} is {stated}, drillable"


def _same_lab(findings: list[Finding], facts: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Credentials of one lab with the addresses of another would break what nobody meant."""
    ids = _lab_ids(facts)
    if len(ids) < 2:
        return findings
    text = f"the systems are of different labs: {', '.join(sorted(name or 'none' for name in ids))}"
    return [*findings, Finding("identity.lab", "lab", Status.CRITICAL, text, {"lab_ids": sorted(ids)})]


def _lab_ids(facts: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Ids of the labs that the systems are of; "" for one that is of none. What could not be read has no say."""
    return {str(answer["says"]["lab_id"]) for answer in facts.values() if "says" in answer}


def _plain(name: str) -> str:
    word = name.strip().lower()
    return SAME.get(word, word)


def _true(text: str) -> bool:
    return text.strip().lower() in ("true", "yes", "on", "1")
