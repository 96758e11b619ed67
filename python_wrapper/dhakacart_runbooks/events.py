# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a run, as typed events.

``to_json`` is the line of ``runbook run --json``; its keys are an interface.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from .finding import Finding


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened.

    :param time: epoch seconds.
    """

    kind: ClassVar[str] = ""
    time: float = field(default_factory=time.time)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, with ``event`` first."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"event": self.kind, **{name: _plain(value) for name, value in values.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, Finding):
        return value.to_result()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """Ansible is being started. ``sections`` is empty for a bare run, which reads only."""

    kind: ClassVar[str] = "run_started"
    run_id: str
    runbook: str
    sections: tuple[str, ...]
    inventory: str
    check: bool


@dataclass(frozen=True, kw_only=True)
class EnvironmentKnown(Event):
    """The preflight has read the inventory.

    :param environment: ``dhakacart_env``, e.g. ``lab``.
    :param name: prefix and region as people know them.
    :param record: the folder of the incident record; empty where none is written.
    :param budgets: seconds for each section of the run.
    """

    kind: ClassVar[str] = "environment_known"
    environment: str
    name: str
    record: str
    budgets: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class SectionStarted(Event):
    """A tagged play begins. ``budget_seconds`` is None where the collection did not say."""

    kind: ClassVar[str] = "section_started"
    section: str
    budget_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class StepStarted(Event):
    """A task begins. ``number`` is the step's number on the page; None for a task inside a role."""

    kind: ClassVar[str] = "step_started"
    section: str
    number: int | None
    title: str


@dataclass(frozen=True, kw_only=True)
class StepFinished(Event):
    """A task ended.

    :param outcome: ``ok``, ``changed``, ``would_change`` (``--check``), ``skipped``, ``failed`` or ``unreachable``.
    :param message: why it failed, in one line.
    :param undo: how a change is taken back, where the module says so.
    """

    kind: ClassVar[str] = "step_finished"
    section: str
    number: int | None
    title: str
    outcome: str
    seconds: float
    message: str = ""
    undo: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting(Event):
    """A step looks again until something is as it has to be."""

    kind: ClassVar[str] = "waiting"
    title: str
    attempt: int
    of: int


@dataclass(frozen=True, kw_only=True)
class FindingsRead(Event):
    """Every system was read. A later reading replaces an earlier one."""

    kind: ClassVar[str] = "findings_read"
    section: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Diagnosed(Event):
    """The collection judged; the mapping is the module's own: ``likely`` (or None), ``also`` and ``possible``."""

    kind: ClassVar[str] = "diagnosed"
    section: str
    diagnosis: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    """A line that a module of the collection printed for people, and that no other event carries."""

    kind: ClassVar[str] = "said"
    text: str


@dataclass(frozen=True, kw_only=True)
class SectionFinished(Event):
    """A section closed itself. ``recovered`` is only set by ``verification``."""

    kind: ClassVar[str] = "section_finished"
    section: str
    elapsed_seconds: float
    budget_seconds: float
    likely_cause: str
    next: str
    recovered: bool | None = None


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The last event of every run, whatever became of it. ``outcome`` is ``RunOutcome.to_json()``."""

    kind: ClassVar[str] = "run_finished"
    outcome: Mapping[str, Any]
