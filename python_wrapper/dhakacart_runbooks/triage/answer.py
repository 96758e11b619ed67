# SPDX-License-Identifier: GPL-3.0-or-later
"""What a triage run found, gathered from its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ExitCode
from ..events import Diagnosed, EnvironmentKnown, Event, FindingsRead
from ..finding import Finding
from ..outcome import RunOutcome, RunStatus
from .asking import Asked

# What customers see is read from outside, as they come.
CUSTOMERS = "http."


@dataclass
class Answer:
    """Filled event by event; ``diagnosis`` is the collection's, empty where the run did not come so far."""

    asked: Asked
    name: str = ""
    environment: str = ""
    findings: tuple[Finding, ...] = ()
    diagnosis: Mapping[str, Any] = field(default_factory=dict)
    outcome: RunOutcome | None = None

    def take(self, event: Event) -> None:
        """Keep what the event tells."""
        if isinstance(event, EnvironmentKnown):
            self.name, self.environment = event.name, event.environment
        elif isinstance(event, FindingsRead):
            self.findings = event.findings
        elif isinstance(event, Diagnosed):
            self.diagnosis = event.diagnosis

    @property
    def customers(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.id.startswith(CUSTOMERS))

    @property
    def platform(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.id.startswith(CUSTOMERS))

    @property
    def exit_code(self) -> ExitCode:
        """As the collection judged; where it did not come so far, as the run ended."""
        if self.outcome is None:
            return ExitCode.INFRASTRUCTURE
        if self.outcome.status in (RunStatus.HEALTHY, RunStatus.UNHEALTHY):
            return ExitCode.HEALTHY if self.diagnosis.get("healthy") is True else ExitCode.UNHEALTHY
        return self.outcome.exit_code

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        outcome = self.outcome
        return {
            "environment": self.environment,
            "name": self.name,
            "asked": self.asked.words,
            "runbooks": [{"slug": r.slug, "title": r.title, "written": r.written} for r in self.asked.runbooks],
            "findings": [finding.to_result() for finding in self.findings],
            "diagnosis": dict(self.diagnosis),
            "seconds": outcome.seconds if outcome else None,
            "record": outcome.record if outcome else "",
            "status": str(outcome.status) if outcome else "",
            "message": outcome.message if outcome else "",
            "exit_code": int(self.exit_code),
        }
