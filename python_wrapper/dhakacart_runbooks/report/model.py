# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident record as typed data. What is None or empty is not in it; ``gaps`` says what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..finding import Finding, Status


@dataclass(frozen=True)
class Cause:
    """A cause as the collection named it.

    :param rests_on: the findings that confirm it, a line each.
    """

    id: str
    title: str
    rests_on: tuple[str, ...] = ()
    branch: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class Control:
    """A control that prevention audited; ``present`` is None where it could not be read."""

    title: str
    present: bool | None
    change: str = ""


@dataclass(frozen=True)
class Section:
    """A section that closed itself.

    :param source: the file it was read from.
    :param started: epoch seconds, as ``ended``.
    :param also: other causes that were confirmed.
    :param possible: causes that were not ruled out, because something could not be read.
    :param check: it only said what it would change.
    """

    section: str
    source: str
    run_id: str = ""
    started: float | None = None
    ended: float | None = None
    elapsed: float | None = None
    budget: float | None = None
    status: str = ""
    cause: Cause | None = None
    also: tuple[Cause, ...] = ()
    possible: tuple[Cause, ...] = ()
    next: str = ""
    recovered: bool | None = None
    check: bool = False
    findings: tuple[Finding, ...] = ()
    controls: tuple[Control, ...] = ()

    @property
    def over_budget(self) -> bool:
        return self.elapsed is not None and self.budget is not None and self.elapsed > self.budget


@dataclass(frozen=True)
class Opening:
    """What was read before anything was changed; ``facts`` are a mapping for each system."""

    started: float | None
    status: str
    findings: tuple[Finding, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Approval:
    """Somebody let a change be made. ``how``: at the terminal, on the command line, or not asked for."""

    time: float | None
    action: str
    undo: str
    how: str
    reason: str
    by: str


@dataclass(frozen=True)
class Step:
    """A step that changed something, would have, or failed.

    :param approval: what covers it; None where nothing was asked or the record does not tell.
    """

    time: float | None
    section: str
    title: str
    outcome: str
    undo: str = ""
    message: str = ""
    approval: Approval | None = None


@dataclass(frozen=True)
class Verification:
    """A verdict."""

    time: float | None
    recovered: bool | None
    reasons: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moment:
    """Any other line of the timeline, in words."""

    time: float | None
    event: str
    words: str


@dataclass(frozen=True)
class Run:
    """A run of the wrapper.

    :param status: empty for one that left no outcome: it was killed, or is still going.
    """

    run_id: str
    runbook: str = ""
    environment: str = ""
    sections: tuple[str, ...] = ()
    started: float | None = None
    finished: float | None = None
    status: str = ""
    exit_code: int | None = None
    user: str = ""
    host: str = ""
    approve: str = ""
    check: bool = False
    changed: bool = False
    interrupted_step: str = ""
    message: str = ""


@dataclass(frozen=True)
class Outage:
    """A time in which customers could not order; ``ended`` is None while it lasts."""

    began: float
    ended: float | None


@dataclass(frozen=True)
class Figure:
    """Something that was measured, e.g. RTO; ``met`` is None where there is no target."""

    name: str
    value: float
    unit: str
    target: float | None = None
    met: bool | None = None


@dataclass(frozen=True)
class Latest:
    """The newest reading of one finding, and the section that read it."""

    finding: Finding
    section: str
    time: float | None


@dataclass(frozen=True)
class Record:
    """One incident.

    :param folder: its name, without the path.
    :param platform: prefix and region as people know them.
    :param incident: False for the record of a run that only read while no incident was open.
    :param opened: epoch seconds of the first evidence.
    :param sections: in the order in which they closed, as all other tuples are in the order of time.
    :param measured_by: who measured ``outages`` and ``figures``.
    """

    folder: str
    runbook: str
    environment: str
    platform: str = ""
    incident: bool = True
    opened: float | None = None
    opening: Opening | None = None
    sections: tuple[Section, ...] = ()
    steps: tuple[Step, ...] = ()
    approvals: tuple[Approval, ...] = ()
    verifications: tuple[Verification, ...] = ()
    moments: tuple[Moment, ...] = ()
    closed: float | None = None
    runs: tuple[Run, ...] = ()
    outages: tuple[Outage, ...] = ()
    figures: tuple[Figure, ...] = ()
    measured_by: str = ""
    gaps: tuple[str, ...] = field(default=())

    @cached_property
    def latest(self) -> Mapping[str, Latest]:
        """By id, the newest reading of every finding; a section that reads less replaces only what it read."""
        found: dict[str, Latest] = {}
        if self.opening:
            found.update(_read_by(self.opening.findings, "opening", self.opening.started))
        for section in self.sections:
            found.update(_read_by(section.findings, section.section, section.ended))
        return found

    @cached_property
    def changes(self) -> tuple[Step, ...]:
        """Steps that changed something."""
        return tuple(step for step in self.steps if step.outcome == "changed")

    @property
    def last_section(self) -> Section | None:
        return self.sections[-1] if self.sections else None

    @cached_property
    def cause(self) -> tuple[Cause, Section] | None:
        """The cause that was named last, and the section that named it."""
        return next(((s.cause, s) for s in reversed(self.sections) if s.cause), None)

    @cached_property
    def controls(self) -> tuple[Control, ...]:
        """The controls as prevention saw them last."""
        return next((s.controls for s in reversed(self.sections) if s.controls), ())

    @cached_property
    def died(self) -> tuple[Run, ...]:
        """Runs without an outcome."""
        return tuple(run for run in self.runs if not run.status)


def _read_by(findings: Iterable[Finding], section: str, time: float | None) -> dict[str, Latest]:
    return {finding.id: Latest(finding, section, time) for finding in findings}


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; of one status, in the order in which they were read."""
    return sorted(findings, key=lambda finding: -finding.status.severity)


def bad(findings: Iterable[Finding]) -> list[Finding]:
    """Critical ones and warnings, the worst first."""
    return [f for f in by_severity(findings) if f.status in (Status.CRITICAL, Status.WARNING)]
