# SPDX-License-Identifier: GPL-3.0-or-later
"""What all renderings of a record show, judged and cut to a length that a person reads. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from ..finding import Finding, Status
from .compare import Comparison, compare
from .model import Cause, Latest, Record, Run, Section, Step
from .story import Line, story
from .text import one_line, shorten
from .verdict import Broken, Verdict, broken, judge, next_command

MOST_FINDINGS, MOST_LINES, MOST_STEPS, MOST_RUNS, MOST_PAIRS, MOST_GAPS = 120, 200, 60, 60, 12, 40
MOST_FACTS, MOST_VALUE = 6_000, 300
T = TypeVar("T")


@dataclass(frozen=True)
class Shown(Generic[T]):
    """The beginning of a list.

    :param rest: says how many more there are and where; empty when all are shown.
    """

    rows: tuple[T, ...]
    rest: str = ""

    @classmethod
    def of(cls, rows: Sequence[T], most: int, place: str) -> Shown[T]:
        hidden = len(rows) - most
        return cls(tuple(rows[:most]), f"… and {hidden:,} more, see {place}" if hidden > 0 else "")


@dataclass(frozen=True)
class Excerpt:
    """A part of the evidence."""

    title: str
    text: str


@dataclass(frozen=True)
class View:
    """A record with everything that is asked of it."""

    record: Record

    @cached_property
    def title(self) -> str:
        name = self.record.runbook.replace("-", " ").capitalize() or "Incident"
        return f"{name} in {self.record.environment}" if self.record.environment else name

    @cached_property
    def verdict(self) -> Verdict:
        return judge(self.record)

    @cached_property
    def broken(self) -> Broken:
        return broken(self.record)

    @property
    def next(self) -> str:
        return next_command(self.record)

    @property
    def cause(self) -> tuple[Cause, Section] | None:
        return self.record.cause

    @cached_property
    def open_runs(self) -> tuple[Run, ...]:
        """Runs that were ended in the middle of a step, or died: what they began may go on at the other end."""
        return tuple(run for run in self.record.runs if not run.status or run.interrupted_step)

    @cached_property
    def undo_order(self) -> tuple[Step, ...]:
        """Changes, the newest first: that is the order in which they are taken back."""
        return tuple(reversed(self.record.changes))

    @cached_property
    def steps(self) -> Shown[Step]:
        return Shown.of(self.record.steps, MOST_STEPS, "timeline.jsonl")

    @cached_property
    def _latest(self) -> list[Latest]:
        return sorted(self.record.latest.values(), key=lambda row: -row.finding.status.severity)

    @cached_property
    def findings(self) -> Shown[Latest]:
        """What is not ok at the last reading, the worst first."""
        rows = [row for row in self._latest if row.finding.status is not Status.OK and row.finding.configured]
        return Shown.of(rows, MOST_FINDINGS, "sections/")

    @cached_property
    def well(self) -> Shown[Latest]:
        """What is ok, or rightly not there."""
        rows = [row for row in self._latest if row.finding.status is Status.OK or not row.finding.configured]
        return Shown.of(rows, MOST_FINDINGS, "sections/")

    @cached_property
    def comparison(self) -> Comparison | None:
        return compare(self.record)

    @cached_property
    def story(self) -> Shown[Line]:
        return _middle_cut(story(self.record))

    @cached_property
    def runs(self) -> Shown[Run]:
        return Shown.of(self.record.runs, MOST_RUNS, "runs/")

    @cached_property
    def gaps(self) -> Shown[str]:
        return Shown.of(self.record.gaps, MOST_GAPS, "the folder itself")

    @cached_property
    def excerpts(self) -> tuple[Excerpt, ...]:
        """What was read at the opening, system by system."""
        facts = self.record.opening.facts if self.record.opening else {}
        return tuple(Excerpt(name, _pretty(facts[name])) for name in sorted(facts))


def _middle_cut(lines: Sequence[Line]) -> Shown[Line]:
    """Of a long story, the beginning and the end are shown: both matter more than the middle."""
    hidden = len(lines) - MOST_LINES
    if hidden <= 0:
        return Shown(tuple(lines))
    half = MOST_LINES // 2
    gap = Line(None, "…", f"{hidden:,} lines are left out here; see timeline.jsonl")
    return Shown((*lines[:half], gap, *lines[-half:]))


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    return shorten(text, MOST_FACTS, "opening.json")


def pairs(evidence: Mapping[str, Any]) -> Shown[tuple[str, str]]:
    """The values of a finding's evidence, each in one line."""
    said = [(key, value) for key, value in evidence.items() if value not in (None, "", [], {})]
    return Shown.of([(key, _value(value)) for key, value in said[: MOST_PAIRS + 1]], MOST_PAIRS, "the record's JSON")


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shorten(one_line(text), MOST_VALUE)


def components(findings: Iterable[Finding]) -> str:
    """The parts that findings are about, each once."""
    return ", ".join(dict.fromkeys(finding.component or finding.id for finding in findings))
