# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one section of a runbook and keeps what a drill judges it by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..events import Diagnosed, Event, SectionFinished
from ..finding import Finding, Status
from ..launcher_api import Launcher
from ..outcome import RunOutcome, RunStatus
from ..request import RunRequest
from .score import SectionTime

Listener = Callable[[Event], None]
DONE = frozenset({RunStatus.HEALTHY, RunStatus.UNHEALTHY})
NOT_RUN = frozenset({RunStatus.BROKEN, RunStatus.REFUSED, RunStatus.CANCELLED, RunStatus.TIMEOUT})


@dataclass(frozen=True)
class SectionRun:
    """What came of it.

    :param cause: id of the likely cause; empty where none was named.
    :param branch: the branch recommended for it; empty for none.
    :param said_recovered: the verdict of ``verification``; None where it gave none.
    :param time: None where the section did not close itself.
    """

    outcome: RunOutcome
    cause: str = ""
    branch: str = ""
    said_recovered: bool | None = None
    time: SectionTime | None = None

    @property
    def done(self) -> bool:
        """It ran to its end, and nothing in it failed."""
        return self.outcome.status in DONE

    @property
    def ran(self) -> bool:
        """It gave an answer, be it a bad one."""
        return self.outcome.status not in NOT_RUN

    def rings(self, silent: SectionRun | None = None) -> bool:
        """Whether somebody would be called: a cause is named, or a finding is critical or newly unreadable.

        :param silent: the reading from before, to compare with.
        """
        known = {f.id for f in silent.outcome.findings if f.status is Status.UNKNOWN} if silent else set()
        return bool(self.cause) or any(
            finding.status is Status.CRITICAL or (finding.status is Status.UNKNOWN and finding.id not in known)
            for finding in self.outcome.findings
            if finding.configured
        )

    def alarming(self, silent: SectionRun | None = None) -> list[Finding]:
        """Its findings that are not ok, and were better before; the worst first."""
        before = {f.id: f.status.severity for f in silent.outcome.findings} if silent else {}
        bad = [
            finding
            for finding in self.outcome.findings
            if finding.configured and finding.status.severity > before.get(finding.id, Status.OK.severity)
        ]
        return sorted(bad, key=lambda finding: -finding.status.severity)


def run_section(launcher: Launcher, request: RunRequest, listen: Listener = lambda _event: None) -> SectionRun:
    """Run it to its end. Leaving it early (Ctrl-C) cancels the run."""
    diagnosis: dict[str, Any] = {}
    closed: SectionFinished | None = None
    with launcher.start(request) as handle:
        for event in handle.events():
            listen(event)
            if isinstance(event, Diagnosed):
                diagnosis = dict(event.diagnosis)
            elif isinstance(event, SectionFinished):
                closed = event
        outcome = handle.wait()
    likely = diagnosis.get("likely") or {}
    return SectionRun(
        outcome,
        cause=str(likely.get("id") or "") or (closed.likely_cause if closed else outcome.likely_cause),
        branch=str(likely.get("branch") or ""),
        said_recovered=_verdict(request, outcome, closed),
        time=SectionTime(closed.section, closed.elapsed_seconds, closed.budget_seconds) if closed else None,
    )


def _verdict(request: RunRequest, outcome: RunOutcome, closed: SectionFinished | None) -> bool | None:
    if "verification" not in request.sections or outcome.status in NOT_RUN:
        return None
    if closed is not None and closed.recovered is not None:
        return closed.recovered and outcome.status in DONE
    return outcome.status in DONE
