# SPDX-License-Identifier: GPL-3.0-or-later
"""The scorecard of one drill, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .score import Observed, Score

# What is measured, in the order in which it is shown; the ends in seconds since the fault was injected.
TIMES = ("detect", "contain", "diagnose", "recover", "verify")


@dataclass(frozen=True)
class Result:
    """One drill. Epoch seconds.

    :param at: when each step ended, in seconds since the fault was injected; a step that was not reached is missing.
    :param took: the seconds that each step itself took.
    :param answer: what a person said in a blind drill; empty otherwise.
    """

    id: str
    scenario: str
    title: str
    runbook: str
    lab: str
    inventory: str
    started: float
    finished: float
    observed: Observed
    score: Score
    expected_cause: str
    at: Mapping[str, float] = field(default_factory=dict)
    took: Mapping[str, float] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    repetition: int = 1
    blind: bool = False
    answer: str = ""

    @property
    def verdict(self) -> str:
        return str(self.score.verdict)

    @property
    def rto(self) -> float | None:
        """Seconds; None where it was not measured, or does not apply."""
        applies = any(c.name == "rto" and c.met is not None for c in self.score.criteria)
        return self.observed.downtime.seconds if applies and self.observed.downtime else None

    @property
    def rpo(self) -> float | None:
        applies = any(c.name == "rpo" and c.met is not None for c in self.score.criteria)
        return self.observed.loss.seconds if applies and self.observed.loss else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; the keys are an interface."""
        seen = self.observed
        return {
            "id": self.id,
            "scenario": self.scenario,
            "title": self.title,
            "runbook": self.runbook,
            "lab": self.lab,
            "inventory": self.inventory,
            "repetition": self.repetition,
            "blind": self.blind,
            "answer": self.answer,
            "started": self.started,
            "finished": self.finished,
            "seconds": round(self.finished - self.started, 1),
            "verdict": self.verdict,
            "reason": self.score.reason,
            "points": self.score.points,
            "of": self.score.of,
            "rto_seconds": _rounded(self.rto),
            "outage_seconds": _rounded(seen.downtime.seconds if seen.downtime else None),
            "outages": seen.downtime.outages if seen.downtime else None,
            "rpo_seconds": _rounded(self.rpo),
            "lost_orders": seen.loss.count if seen.loss else None,
            "cause": seen.cause,
            "expected_cause": self.expected_cause,
            "branch": seen.branch,
            "at": dict(self.at),
            "took": dict(self.took),
            "sections": [{"section": s.section, "seconds": s.seconds, "budget": s.budget} for s in seen.sections],
            "residue": None if seen.residue is None else list(seen.residue),
            "criteria": self.score.to_json()["criteria"],
            "runs": list(self.runs),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
