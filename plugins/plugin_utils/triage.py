# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One reading judged by the rules of every runbook at once: which cause first, and what may be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.diagnosis import (
    Cause,
    Runbook,
    diagnose,
    refusals,
)
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status

# What customers see is read from outside, as they come.
CUSTOMERS = "http."


@dataclass(frozen=True)
class _Confirmed:
    """A cause that a runbook's rules confirm."""

    runbook: Runbook
    cause: Cause
    entry: Mapping[str, Any]
    leads: bool


def rank(findings: Sequence[Finding], runbooks: Iterable[Runbook], asked: Sequence[str] = ()) -> dict[str, Any]:
    """Judge by all rules.

    :param runbooks: the rules to judge by.
    :param asked: slugs that what was seen or typed leads to; they only decide between equals: evidence beats words.
    :returns: as ``diagnose``: ``likely`` (or None), ``also``, ``possible``; each entry has ``runbook`` and a likely or
        also one ``resolution`` (empty, or ``branch``, ``title``, ``undo`` and ``refused``, a line for each reason).
    """
    confirmed: list[_Confirmed] = []
    possible: dict[str, dict[str, Any]] = {}
    for runbook in runbooks:
        judged = diagnose(findings, runbook.causes)
        causes = {cause.id: cause for cause in runbook.causes}
        named = [entry for entry in (judged["likely"], *judged["also"]) if entry]
        confirmed += [_Confirmed(runbook, causes[e["id"]], e, e is judged["likely"]) for e in named]
        for entry in judged["possible"]:
            possible.setdefault(entry["id"], {**entry, "runbook": runbook.slug})
    status = {finding.id: finding.status for finding in findings}
    confirmed.sort(key=lambda one: _place(one, asked, status))
    # A cause explains what it hides in other runbooks' rules, too.
    hidden = {name for one in confirmed for name in one.cause.hides}
    first_of: dict[str, _Confirmed] = {}
    for one in confirmed:
        if one.cause.id not in hidden:
            first_of.setdefault(one.cause.id, one)
    entries = [
        {**one.entry, "runbook": one.runbook.slug, "resolution": _resolution(one, findings)}
        for one in first_of.values()
    ]
    return {
        "likely": entries[0] if entries else None,
        "also": entries[1:],
        "possible": [entry for name, entry in possible.items() if name not in hidden and name not in first_of],
    }


def _place(one: _Confirmed, asked: Sequence[str], status: Mapping[str, Status]) -> tuple[Any, ...]:
    """What hurts now before a mere risk; what its runbook puts first; the worse and the more specific evidence."""
    worst = max((status.get(test.finding, Status.OK) for test in one.cause.tests), default=Status.OK)
    return (one.cause.risk, not one.leads, -worst, one.runbook.slug not in asked, -len(one.cause.tests))


def _resolution(one: _Confirmed, findings: Sequence[Finding]) -> dict[str, Any]:
    branch = one.runbook.branches.get(one.cause.branch)
    if branch is None:
        return {}
    forbidden = refusals(branch, findings)
    return {"branch": branch.name, "title": branch.title, "undo": branch.undo, "refused": forbidden}


def customers_are_hurt(findings: Iterable[Finding]) -> bool:
    """Whether something that customers see is critical."""
    return any(finding.id.startswith(CUSTOMERS) and finding.status is Status.CRITICAL for finding in findings)


def earliest_sign(findings: Iterable[Finding], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What has been wrong for longest, where a system keeps the time of it.

    :returns: ``seconds`` ago and ``sign`` in words; empty where nothing that is wrong has a time.
    """
    by_id = {finding.id: finding for finding in findings}
    signs = [*_from_kubernetes(facts.get("kubernetes")), *_from_findings(by_id)]
    if not signs:
        return {}
    seconds, sign = max(signs)
    return {"seconds": round(seconds, 1), "sign": sign}


def _from_kubernetes(facts: Any) -> list[tuple[float, str]]:
    deployment = facts.get("deployment") if isinstance(facts, Mapping) else None
    conditions = deployment.get("conditions") if isinstance(deployment, Mapping) else None
    return [
        (float(condition["seconds"]), "too few backends are available")
        for condition in conditions or ()
        if isinstance(condition, Mapping)
        and (condition.get("type"), condition.get("status")) == ("Available", "False")
        and _is_number(condition.get("seconds"))
    ]


# Finding -> the evidence that says for how long, and what that is. Only where the finding itself is bad.
_SINCE = {
    "postgresql.replication": ("last_message_seconds", "the standby last heard from the primary"),
    "postgresql.locks": ("longest_held_seconds", "a lock is held"),
    "postgresql.long_queries": ("longest_seconds", "a query runs"),
}


def _from_findings(by_id: Mapping[str, Finding]) -> list[tuple[float, str]]:
    signs = []
    for name, (key, sign) in _SINCE.items():
        found = by_id.get(name)
        seconds = found.evidence.get(key) if found and found.status >= Status.WARNING else None
        if _is_number(seconds):
            signs.append((float(seconds), sign))
    return signs


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
