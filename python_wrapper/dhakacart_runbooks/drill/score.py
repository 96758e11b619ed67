# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a drill by what was measured. Pure: no clock, no file, no lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from .measures import Downtime, Loss
from .scenario import Scenario


class Verdict(StrEnum):
    """``invalid``: the drill proves nothing, neither good nor bad, because it could not be held or not be ended."""

    PASSED = "passed"
    FAILED = "failed"
    INVALID = "invalid"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class SectionTime:
    """Seconds that a section took, and may take."""

    section: str
    seconds: float
    budget: float

    @property
    def kept(self) -> bool:
        return self.seconds <= self.budget


@dataclass(frozen=True)
class Observed:
    """What a drill saw. None stands for what was not measured.

    :param cause: the id of the first cause that the investigation named; empty where it named none.
    :param branch: the branch that it recommended; empty for none.
    :param downtime: None where the drill ended before it could be known.
    :param red_before: the verdict of a verification that was run while it was still broken: True for "recovered",
        which would be a lie where customers were affected; None where it gave none.
    :param green_after: the verdict after the resolution.
    :param residue: differences between the environment before and after; None where it was not compared.
    :param invalid: why the drill proves nothing; empty where it does.
    """

    cause: str = ""
    branch: str = ""
    detected: bool = False
    downtime: Downtime | None = None
    loss: Loss | None = None
    sections: tuple[SectionTime, ...] = ()
    red_before: bool | None = None
    green_after: bool | None = None
    resolution_done: bool | None = None
    residue: tuple[str, ...] | None = None
    invalid: str = ""
    interrupted: str = ""


@dataclass(frozen=True)
class Criterion:
    """One thing that a drill is judged by.

    :param met: None where it does not apply; its points are then neither given nor asked for.
    """

    name: str
    met: bool | None
    points: int
    detail: str


@dataclass(frozen=True)
class Score:
    """The judgement. ``points`` and ``of`` count the criteria that apply."""

    verdict: Verdict
    reason: str
    criteria: tuple[Criterion, ...] = field(default_factory=tuple)

    @property
    def points(self) -> int:
        return sum(criterion.points for criterion in self.criteria if criterion.met)

    @property
    def of(self) -> int:
        return sum(criterion.points for criterion in self.criteria if criterion.met is not None)

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "points": self.points,
            "of": self.of,
            "criteria": [asdict(criterion) for criterion in self.criteria],
        }


def judge(scenario: Scenario, seen: Observed) -> Score:
    """The score of one drill."""
    criteria = (
        _detected(seen),
        _cause(scenario, seen),
        _branch(scenario, seen),
        _customers(scenario, seen),
        _rto(scenario, seen),
        _rpo(scenario, seen),
        _truth(scenario, seen),
        _budgets(seen.sections),
        _residue(seen.residue),
    )
    verdict, reason = _verdict(seen, criteria)
    return Score(verdict, reason, criteria)


def _verdict(seen: Observed, criteria: Sequence[Criterion]) -> tuple[Verdict, str]:
    if seen.interrupted:
        return Verdict.INTERRUPTED, seen.interrupted
    if seen.invalid:
        return Verdict.INVALID, seen.invalid
    if seen.residue is None:
        return Verdict.INVALID, "it was not compared whether something is left"
    if seen.residue:
        return Verdict.INVALID, f"something is left: {seen.residue[0]}"
    missed = [criterion for criterion in criteria if criterion.met is False]
    if missed:
        return Verdict.FAILED, "; ".join(f"{criterion.name}: {criterion.detail}" for criterion in missed)
    return Verdict.PASSED, ""


def _detected(seen: Observed) -> Criterion:
    return Criterion("detected", seen.detected, 5, "the alert came" if seen.detected else "no alert came")


def _cause(scenario: Scenario, seen: Observed) -> Criterion:
    named = seen.cause or "none"
    met = seen.cause == scenario.expected_cause
    return Criterion("cause", met, 25, named if met else f"named {named}, expected {scenario.expected_cause}")


def _branch(scenario: Scenario, seen: Observed) -> Criterion:
    expected = scenario.expected_branch or ""
    met = seen.branch == expected
    told = seen.branch or "none"
    return Criterion("branch", met, 5, told if met else f"recommended {told}, expected {expected or 'none'}")


def _customers(scenario: Scenario, seen: Observed) -> Criterion:
    if seen.downtime is None:
        return Criterion("customers", None, 5, "not measured")
    noticed = seen.downtime.outages > 0
    text = "an outage" if noticed else "no outage"
    met = noticed == scenario.customers_notice
    return Criterion("customers", met, 5, text if met else f"{text}, expected {'one' if not noticed else 'none'}")


def _rto(scenario: Scenario, seen: Observed) -> Criterion:
    goal = scenario.objectives.rto_seconds
    if not scenario.recovers:
        return Criterion("rto", None, 20, "the runbook rightly has no branch for it")
    if seen.resolution_done is False:
        return Criterion("rto", False, 20, "the resolution failed")
    if seen.downtime is None or not seen.downtime.over:
        return Criterion("rto", False, 20, f"customers could still not order after {goal:.0f} s")
    took = seen.downtime.seconds or 0.0
    return Criterion("rto", took <= goal, 20, f"{took:.1f} s of {goal:.0f} s")


def _rpo(scenario: Scenario, seen: Observed) -> Criterion:
    if not scenario.recovers:
        return Criterion("rpo", None, 20, "nothing was recovered")
    if seen.loss is None:
        return Criterion("rpo", False, 20, "the orders could not be counted")
    goal = scenario.objectives.rpo_seconds
    text = f"{seen.loss.count} orders lost, {seen.loss.seconds:.1f} s of {goal:.0f} s"
    return Criterion("rpo", seen.loss.seconds <= goal, 20, text)


def _truth(scenario: Scenario, seen: Observed) -> Criterion:
    """A verification that says "recovered" while customers cannot order is worse than none."""
    if seen.red_before:
        if scenario.customers_notice:
            return Criterion("verification", False, 10, "said recovered while it was broken")
        # Nothing was broken that a customer could see; a verdict of "recovered" is then about the shop, not the risk.
    elif seen.red_before is None:
        return Criterion("verification", False, 10, "gave no verdict while it was broken")
    if not scenario.recovers:
        return Criterion("verification", True, 10, "told the truth while it was broken")
    if seen.green_after is None:
        return Criterion("verification", False, 10, "gave no verdict after the resolution")
    if not seen.green_after:
        return Criterion("verification", False, 10, "said not recovered after the resolution")
    if seen.downtime is not None and not seen.downtime.over:
        return Criterion("verification", False, 10, "said recovered though customers could not order")
    return Criterion("verification", True, 10, "not recovered before, recovered after")


def _budgets(sections: Sequence[SectionTime]) -> Criterion:
    if not sections:
        return Criterion("budgets", None, 5, "no section closed itself")
    over = [section for section in sections if not section.kept]
    if over:
        text = ", ".join(f"{s.section} {s.seconds:.0f} s of {s.budget:.0f} s" for s in over)
        return Criterion("budgets", False, 5, text)
    return Criterion("budgets", True, 5, f"{len(sections)} sections within their time")


def _residue(residue: tuple[str, ...] | None) -> Criterion:
    if residue is None:
        return Criterion("nothing left", None, 5, "not compared")
    return Criterion("nothing left", not residue, 5, "; ".join(residue[:3]) or "as before")
