# SPDX-License-Identifier: GPL-3.0-or-later
"""What the history keeps, as plain values. Times are epoch seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ..events import RunStarted
from ..finding import Finding, Status
from ..outcome import RunOutcome
from ..request import RunRequest
from .origin import Origin

RUNNING = "running"
LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run.

    :param finished: None while it runs; of a lost run the last sign of life.
    :param heartbeat: the last sign of life, on the clock of the database.
    :param status: ``running``, the value of a ``RunStatus``, or ``lost``: its process is gone and nobody saw the end.
    :param sections: the sections that were asked for; empty for a bare run.
    :param approve_reason: None where nothing was approved.
    :param boot_id: which boot of ``host`` it ran under; with ``pid_namespace``, ``pid`` and ``pid_start`` (clock
        ticks after that boot) it names one process for ever.
    :param record: the folder of the incident record on ``host``; empty where none was written.
    """

    id: str
    runbook: str
    started: float
    finished: float | None = None
    heartbeat: float = 0.0
    status: str = RUNNING
    rc: int | None = None
    exit_code: int | None = None
    sections: tuple[str, ...] = ()
    environment: str = ""
    inventory: str = ""
    target: str = ""
    branch: str = ""
    check: bool = False
    approve_reason: str | None = None
    user: str = ""
    host: str = ""
    boot_id: str = ""
    pid_namespace: str = ""
    pid: int = 0
    pid_start: int = 0
    record: str = ""
    likely_cause: str = ""
    next: str = ""
    message: str = ""
    changed: bool = False
    interrupted_step: str = ""
    findings_ok: int = 0
    findings_unknown: int = 0
    findings_warning: int = 0
    findings_critical: int = 0
    wrapper_version: str = ""
    collection_version: str = ""

    @classmethod
    def begun(cls, request: RunRequest, event: RunStarted, origin: Origin) -> RunRow:
        """A run that has just been started by the process ``origin``."""
        return cls(
            id=event.run_id,
            runbook=event.runbook,
            started=event.time,
            heartbeat=event.time,
            sections=event.sections,
            inventory=event.inventory,
            target=request.target or "",
            branch=request.branch or "",
            check=event.check,
            approve_reason=request.approve,
            **asdict(origin),
        )

    @classmethod
    def of(cls, outcome: RunOutcome, origin: Origin) -> RunRow:
        """A run that ended without ever having been followed."""
        asked = outcome.request
        row = cls(
            id=outcome.run_id,
            runbook=asked.runbook,
            started=outcome.started,
            sections=tuple(asked.sections),
            inventory=asked.inventory or "",
            target=asked.target or "",
            branch=asked.branch or "",
            check=asked.check,
            approve_reason=asked.approve,
            **asdict(origin),
        )
        return row.ended(outcome)

    def ended(self, outcome: RunOutcome) -> RunRow:
        """The same run with its end."""
        return replace(
            self,
            started=outcome.started,
            finished=outcome.finished,
            heartbeat=outcome.finished,
            status=str(outcome.status),
            rc=outcome.rc,
            exit_code=int(outcome.exit_code),
            environment=outcome.environment or self.environment,
            record=outcome.record or self.record,
            likely_cause=outcome.likely_cause,
            next=outcome.next,
            message=outcome.message,
            changed=outcome.changed,
            interrupted_step=outcome.interrupted_step,
            **count(outcome.findings),
        )

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return None if self.finished is None else max(0.0, self.finished - self.started)

    @property
    def findings(self) -> dict[str, int]:
        """Findings of the last reading by status, the worst first."""
        return {str(status): getattr(self, f"findings_{status}") for status in reversed(Status)}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        values = {name: value for name, value in asdict(self).items() if not name.startswith("findings_")}
        return {**values, "sections": list(self.sections), "findings": self.findings, "seconds": self.seconds}


@dataclass(frozen=True, kw_only=True)
class SectionRow:
    """A section that closed itself. Seconds; ``position`` is its place in the run, from 0."""

    run_id: str
    section: str
    position: int
    elapsed: float
    budget: float
    likely_cause: str = ""
    next: str = ""

    @classmethod
    def all_of(cls, outcome: RunOutcome) -> list[SectionRow]:
        """Every finished section of a run, in order."""
        return [
            cls(
                run_id=outcome.run_id,
                section=one.section,
                position=position,
                elapsed=one.elapsed_seconds,
                budget=one.budget_seconds,
                likely_cause=one.likely_cause,
                next=one.next,
            )
            for position, one in enumerate(outcome.sections)
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class DrillRow:
    """One rehearsal with its score.

    :param drill: the drill's name, e.g. ``primary-killed``.
    :param seed: of the random choice, where there was one.
    :param environment: the lab or environment it was done in.
    :param digest: of the collection's code, so that a trend says what changed.
    :param figures: seconds to ``detect``, ``contain``, ``diagnose``, ``recover``, ``verify``; anything else measured.
    :param rto: seconds without service, as the shopper saw them; None where not measured.
    :param rpo: acknowledged orders missing after the recovery; None where not measured.
    :param residue: differences left in the environment; None where nobody looked.
    """

    id: str
    drill: str
    started: float
    finished: float | None = None
    seed: int | None = None
    environment: str = ""
    digest: str = ""
    verdict: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    rto: float | None = None
    rpo: float | None = None
    cause_expected: str = ""
    cause_named: str = ""
    residue: int | None = None
    run_ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "figures": dict(self.figures), "run_ids": list(self.run_ids)}


def count(findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Findings by status; parts that the environment rightly does not have are left out."""
    by_status = Counter(finding.status for finding in findings if finding.configured)
    return {f"findings_{status}": by_status[status] for status in Status}


def run_from(values: Mapping[Any, Any]) -> RunRow:
    """From a row of the database or a spooled file; what this version does not know is left out."""
    known = {one.name for one in fields(RunRow)}
    chosen = {name: value for name, value in values.items() if name in known}
    return RunRow(**{**chosen, "sections": tuple(chosen.get("sections") or ())})
