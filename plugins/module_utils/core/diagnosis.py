# SPDX-License-Identifier: BSD-2-Clause
"""From findings to a cause: rules as data, evaluated in three values. No Ansible, no I/O.

A rule's condition is true, false, or unknown when the finding could not be read. A cause is *confirmed* when all its
conditions are true, *ruled out* when one is false, and *possible* otherwise. Only a confirmed cause is ever named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .finding import Finding, Status

BAD = frozenset({Status.WARNING, Status.CRITICAL})


@dataclass(frozen=True)
class Condition:
    """A question to one finding.

    :param finding: its id.
    :param statuses: true when the status is one of these; empty: the status is not asked.
    :param evidence: true when each evidence value equals the wanted one, or is in the wanted tuple.
    :param negated: turn the answer round (unknown stays unknown).
    """

    finding: str
    statuses: frozenset[Status] = frozenset()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    negated: bool = False

    def answer(self, findings: Mapping[str, Finding]) -> bool | None:
        """True, False, or None when the finding is missing or unknown."""
        found = findings.get(self.finding)
        if found is None:
            return None
        if found.status is Status.UNKNOWN and Status.UNKNOWN not in self.statuses:
            return None
        result = not self.statuses or found.status in self.statuses
        for key, wanted in self.evidence.items():
            value = found.evidence.get(key)
            if value is None and None not in _as_tuple(wanted):
                return None if result and found.status is not Status.OK else self.negated
            result = result and value in _as_tuple(wanted)
        return result != self.negated

    def __str__(self) -> str:
        parts = [" or ".join(sorted(map(str, self.statuses)))] if self.statuses else []
        parts += [f"{key} {' or '.join(map(str, _as_tuple(wanted)))}" for key, wanted in self.evidence.items()]
        return f"{self.finding} is {'not ' if self.negated else ''}{', '.join(parts)}"


def _as_tuple(wanted: Any) -> tuple[Any, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def ok(finding: str) -> Condition:
    """The finding is ok."""
    return Condition(finding, frozenset({Status.OK}))


def bad(finding: str, **evidence: Any) -> Condition:
    """The finding is a warning or critical, with this evidence."""
    return Condition(finding, BAD, evidence)


def not_bad(finding: str) -> Condition:
    """The finding is ok; unknown stays unknown."""
    return Condition(finding, BAD, negated=True)


def critical(finding: str, **evidence: Any) -> Condition:
    """The finding is critical, with this evidence."""
    return Condition(finding, frozenset({Status.CRITICAL}), evidence)


@dataclass(frozen=True)
class Branch:
    """A way to resolve.

    :param name: what the person types: ``-e branch=<name>``.
    :param title: what it does.
    :param requires: what must hold before it may act; a test that is not true refuses the branch.
    :param undo: how it is undone, or that it cannot be.
    :param requires_one: at least one of these must hold, too; empty asks for none.
    """

    name: str
    title: str
    requires: tuple[Condition, ...]
    undo: str
    requires_one: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Cause:
    """Something that explains findings.

    :param id: stable name; the lab's faults name it as the truth.
    :param title: one line for people.
    :param tests: all must be true to confirm it.
    :param branch: the resolution branch it recommends, or empty.
    :param next_step: what to do where no branch resolves it.
    :param hides: causes that this one brings about and that are therefore not named beside it.
    :param risk: customers are served; what is wrong is that the next failure will be worse.
    """

    id: str
    title: str
    tests: tuple[Condition, ...]
    branch: str = ""
    next_step: str = ""
    hides: tuple[str, ...] = ()
    risk: bool = False


@dataclass(frozen=True)
class Runbook:
    """The rules of one runbook: causes, the most specific first, and branches by name."""

    slug: str
    causes: tuple[Cause, ...]
    branches: Mapping[str, Branch]


def diagnose(findings: Iterable[Finding], causes: Sequence[Cause]) -> dict[str, Any]:
    """Judge every cause.

    :returns: ``likely`` (the cause to act on, or None), ``also`` (other confirmed causes that it does not bring
        about), ``possible`` (neither confirmed nor ruled out, each with what could not be read); JSON-clean.
    """
    by_id = {finding.id: finding for finding in findings}
    confirmed: list[Cause] = []
    possible: list[dict[str, Any]] = []
    for cause in causes:
        answers = [(test, test.answer(by_id)) for test in cause.tests]
        if all(answer for _condition, answer in answers):
            confirmed.append(cause)
        elif not any(answer is False for _condition, answer in answers) and any(pair[1] for pair in answers):
            unread = sorted({test.finding for test, answer in answers if answer is None})
            possible.append({"id": cause.id, "title": cause.title, "unread": unread})
    hidden = {name for cause in confirmed for name in cause.hides}
    named = [cause for cause in confirmed if cause.id not in hidden]
    shown = {name for cause in named for name in cause.hides}
    return {
        "likely": _describe(named[0], by_id) if named else None,
        "also": [_describe(cause, by_id) for cause in named[1:]],
        "possible": [entry for entry in possible if entry["id"] not in shown],
    }


def _describe(cause: Cause, findings: Mapping[str, Finding]) -> dict[str, Any]:
    rests_on = {test.finding: findings[test.finding] for test in cause.tests if test.finding in findings}
    wrong = [finding for finding in rests_on.values() if finding.status is not Status.OK]
    return {
        "id": cause.id,
        "title": cause.title,
        "branch": cause.branch,
        "next_step": cause.next_step,
        "risk": cause.risk,
        "rests_on": [f"{finding.id}: {finding.summary}" for finding in wrong or rests_on.values()],
    }


def refusals(branch: Branch, findings: Iterable[Finding]) -> list[str]:
    """Why the evidence forbids the branch, a line a test that is not true; empty when it may act."""
    by_id = {finding.id: finding for finding in findings}
    lines = []
    for test in branch.requires:
        answer = test.answer(by_id)
        if answer:
            continue
        lines.append(f"needs: {test}; seen: {_seen(test, by_id)}")
    if branch.requires_one and not any(test.answer(by_id) for test in branch.requires_one):
        seen = ", ".join(f"{test.finding} {_seen(test, by_id)}" for test in branch.requires_one)
        lines.append(f"needs one of: {'; '.join(map(str, branch.requires_one))}; seen: {seen}")
    return lines


def _seen(test: Condition, findings: Mapping[str, Finding]) -> str:
    found = findings.get(test.finding)
    return f"{found.status}, {found.summary}" if found else "not read"
