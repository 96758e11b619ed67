# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills of the past: entered into the history, and read back for the trend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import journal
from .statistics import regression, sparkline, summary

KEPT = 20  # runs in a trend
FINISHED = ("passed", "failed")


@dataclass(frozen=True)
class Past:
    """One drill that ended with a verdict. Seconds; None where not measured."""

    id: str
    drill: str
    started: float
    verdict: str
    rto: float | None
    diagnosed: float | None
    lost: float | None


@dataclass(frozen=True)
class Trend:
    """How one drill went over time, oldest first."""

    drill: str
    runs: tuple[Past, ...]

    @property
    def measured(self) -> list[float | None]:
        """The RTO; where the runbook has no branch, the time to the diagnosis."""
        if any(run.rto is not None for run in self.runs):
            return [run.rto for run in self.runs]
        return [run.diagnosed for run in self.runs]

    @property
    def what(self) -> str:
        return "RTO" if any(run.rto is not None for run in self.runs) else "diagnosis"

    @property
    def line(self) -> str:
        return sparkline(self.measured)

    @property
    def mark(self) -> str:
        """What is worse than before; empty for nothing."""
        last = self.runs[-1]
        if last.verdict == "failed" and len(self.runs) > 1 and self.runs[-2].verdict == "passed":
            return "failed, passed before"
        lost_before = max((run.lost or 0 for run in self.runs[:-1]), default=0)
        if len(self.runs) > 1 and (last.lost or 0) > lost_before:
            return f"lost {last.lost:.0f} orders, at most {lost_before:.0f} before"
        return regression(self.measured)

    def to_json(self) -> dict[str, Any]:
        found = summary(self.measured)
        return {
            "drill": self.drill,
            "what": self.what,
            "runs": len(self.runs),
            "passed": sum(run.verdict == "passed" for run in self.runs),
            "values": self.measured,
            "last": self.measured[-1],
            "summary": found.to_json() if found else None,
            "regression": self.mark,
        }


def trends(name: str | None = None) -> list[Trend]:
    """The trend of one drill, or of all, by name; none that was never held."""
    runs = [run for run in past() if name in (None, run.drill)]
    names = sorted({run.drill for run in runs})
    return [Trend(one, tuple([run for run in runs if run.drill == one][-KEPT:])) for one in names]


def past() -> list[Past]:
    """Every drill with a verdict, oldest first: from the history, and from journals that it does not have."""
    from ..history import History

    with History.open() as history:
        rows = history.drills()
    found = {row.id: _from_row(row) for row in rows if row.verdict in FINISHED}
    for entry in journal.entries():
        if entry.id not in found and entry.status in FINISHED and entry.result:
            found[entry.id] = _from_result(entry.result)
    return sorted(found.values(), key=lambda run: run.started)


def enter(result: Mapping[str, Any], environment: str, seed: int | None = None) -> None:
    """Into the history."""
    from ..history import DrillRow, History

    row = DrillRow(
        id=result["id"],
        drill=result["scenario"],
        started=result["started"],
        finished=result["finished"],
        seed=seed,
        environment=environment,
        verdict=result["verdict"],
        figures={
            **result["at"],
            "took": result["took"],
            "rpo_seconds": result["rpo_seconds"],
            "points": result["points"],
        },
        rto=result["rto_seconds"],
        rpo=result["lost_orders"],
        cause_expected=result["expected_cause"],
        cause_named=result["cause"],
        residue=None if result["residue"] is None else len(result["residue"]),
        run_ids=tuple(result["runs"]),
    )
    with History.open() as history:
        history.add_drill(row)


def _from_row(row: Any) -> Past:
    return Past(row.id, row.drill, row.started, row.verdict, row.rto, row.figures.get("diagnose"), row.rpo)


def _from_result(found: Mapping[str, Any]) -> Past:
    at = found.get("at") or {}
    return Past(
        str(found["id"]),
        str(found["scenario"]),
        float(found["started"]),
        str(found["verdict"]),
        found.get("rto_seconds"),
        at.get("diagnose"),
        found.get("lost_orders"),
    )


def names(values: Sequence[Past]) -> list[str]:
    """The drills that were held, sorted."""
    return sorted({value.drill for value in values})
