# SPDX-License-Identifier: GPL-3.0-or-later
"""Named test doubles of the two things a drill works on: what runs sections, and what is broken and healed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dhakacart_runbooks.drill.measures import AttemptLike, OutageLike
from dhakacart_runbooks.drill.scenario import Precondition, Scenario
from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.events import Diagnosed, Event, RunStarted, SectionFinished
from dhakacart_runbooks.finding import Finding, Status
from dhakacart_runbooks.launcher_api import Launcher, RunHandle
from dhakacart_runbooks.outcome import RunOutcome, RunStatus
from dhakacart_runbooks.request import RunRequest

LAB_ID = "double-00000000"


def scenario(**changes: Any) -> Scenario:
    """A sound drill, with changes."""
    content: dict[str, Any] = {
        "name": "database-primary-killed",
        "title": "The primary is killed",
        "runbook": "database-failure",
        "faults": [{"fault": "primary-killed"}],
        "expected_cause": "primary_down",
        "expected_branch": "failover",
        "objectives": {"rto_seconds": 300, "rpo_seconds": 60},
        "lease_seconds": 900,
        "customers_notice": True,
    }
    return Scenario.model_validate({**content, **changes})


def identity(lab_id: str = LAB_ID, **statuses: Status) -> tuple[Finding, ...]:
    """What the tool drill-target finds where everything agrees; ``database=Status.UNKNOWN`` and so on for less."""
    says = {"environment": "lab", "drillable": "true", "lab_id": lab_id}
    return (
        Finding("identity.inventory", "inventory", statuses.get("inventory", Status.OK), "lab", {"drillable": True}),
        *(
            Finding(f"identity.{name}", name, statuses.get(name, Status.OK), f"{name} says so", {name: says})
            for name in ("kubernetes", "database", "rds")
        ),
    )


@dataclass(frozen=True)
class Answer:
    """What one section shall give."""

    cause: str = ""
    branch: str = ""
    findings: tuple[Finding, ...] = ()
    status: RunStatus = RunStatus.HEALTHY
    recovered: bool | None = None
    message: str = ""
    raises: BaseException | None = None


DOWN = Answer(
    "primary_down", "failover", (Finding("http.ready", "ready", Status.CRITICAL, "503"),), RunStatus.UNHEALTHY
)
WELL = Answer()
# A whole drill as it should go, by section: the first reading, the second …; the last one stays.
GOOD: Mapping[str, tuple[Answer, ...]] = {
    "drill-target": (Answer(findings=identity()),),
    "symptoms": (WELL, DOWN),
    "immediate": (DOWN,),
    "investigation": (DOWN,),
    "resolution": (WELL,),
    "verification": (Answer(status=RunStatus.FAILED, recovered=False), Answer(recovered=True)),
}


class ScriptedHandle:
    """A run whose answer is known."""

    def __init__(self, request: RunRequest, answer: Answer, number: int) -> None:
        self._request, self._answer = request, answer
        self.run_id = f"run-{number}"

    def events(self) -> Iterator[Event]:
        section = self._request.sections[0] if self._request.sections else ""
        yield RunStarted(
            run_id=self.run_id,
            runbook=self._request.runbook,
            sections=self._request.sections,
            inventory="",
            check=False,
        )
        if self._answer.raises:
            raise self._answer.raises
        likely = {"id": self._answer.cause, "branch": self._answer.branch} if self._answer.cause else None
        yield Diagnosed(section=section, diagnosis={"likely": likely})
        yield SectionFinished(
            section=section,
            elapsed_seconds=1.0,
            budget_seconds=60.0,
            likely_cause=self._answer.cause,
            next="",
            recovered=self._answer.recovered,
        )

    async def stream(self) -> AsyncIterator[Event]:
        for event in self.events():
            yield event

    def cancel(self) -> None: ...

    def wait(self, timeout: float | None = None) -> RunOutcome:
        now = time.time()
        return RunOutcome(
            run_id=self.run_id,
            request=self._request,
            status=self._answer.status,
            rc=0,
            started=now,
            finished=now,
            findings=self._answer.findings,
            likely_cause=self._answer.cause,
            message=self._answer.message,
        )

    def __enter__(self) -> ScriptedHandle:
        return self

    def __exit__(self, *exc_info: object) -> None: ...


@dataclass
class ScriptedLauncher:
    """Gives answers by section, in order, and keeps what it was asked."""

    script: Mapping[str, Sequence[Answer]] = field(default_factory=lambda: dict(GOOD))
    asked: list[RunRequest] = field(default_factory=list)

    def start(self, request: RunRequest) -> RunHandle:
        key = request.sections[0] if request.sections else request.runbook
        answers = self.script[key]
        earlier = sum((r.sections[0] if r.sections else r.runbook) == key for r in self.asked)
        self.asked.append(request)
        return ScriptedHandle(request, answers[min(earlier, len(answers) - 1)], len(self.asked))

    def run(self, request: RunRequest) -> RunOutcome:
        return self.start(request).wait()

    async def arun(self, request: RunRequest) -> RunOutcome:
        return self.run(request)

    @property
    def sections(self) -> list[str]:
        return [request.sections[0] if request.sections else request.runbook for request in self.asked]


@dataclass(frozen=True)
class Out:
    """An outage."""

    start: float
    end: float | None


@dataclass(frozen=True)
class Order:
    """An attempt to order."""

    id: str
    finished: float


@dataclass
class PaperTarget:
    """A lab on paper: remembers what was broken and healed."""

    folder: Path
    unmet_conditions: Mapping[str, str] = field(default_factory=dict)
    outage: Callable[[float], list[Out]] = lambda injected: [Out(injected + 1, injected + 11)]
    missing: Sequence[Order] = ()
    left: Sequence[str] = ()
    heal_error: InfrastructureError | None = None
    inject_error: BaseException | None = None
    done: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    name: str = "paper"
    identity: str = LAB_ID
    environment: str = "lab"
    overlays: tuple[str, ...] = ()
    hosts: tuple[str, str] = ("127.0.0.10", "127.0.0.20")
    injected: float = 0.0

    def unmet(self, condition: Precondition) -> str:
        return self.unmet_conditions.get(condition, "")

    def snapshot(self) -> dict[str, Any]:
        self.done.append("snapshot")
        return {"items": {}}

    def residue(self, before: dict[str, Any]) -> list[str]:
        self.done.append("compare")
        return list(self.left)

    def inject(self, fault: str, lease: float) -> None:
        self.done.append(f"inject {fault}")
        self.injected = self.injected or time.time()
        self.faults.append(fault)
        if self.inject_error:
            raise self.inject_error

    def broken(self) -> list[str]:
        return list(self.faults)

    def heal(self) -> None:
        self.done.append("heal")
        if self.heal_error:
            raise self.heal_error
        self.faults.clear()

    def secrets(self) -> Path:
        return self.folder / "private" / "blind-drill.json"

    def outages(self, since: float) -> Sequence[OutageLike]:
        return self.outage(since)

    def failing(self, since: float) -> tuple[int, int, str]:
        return 3, 5, "HTTP 503"

    def lost(self) -> Sequence[AttemptLike]:
        return list(self.missing) if "inject primary-killed" in self.done else []


def _holds(launcher: ScriptedLauncher) -> Launcher:
    """The type checker holds the double against the seam."""
    return launcher
