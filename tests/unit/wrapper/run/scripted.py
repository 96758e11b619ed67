# SPDX-License-Identifier: GPL-3.0-or-later
"""A launcher that plays a script of events instead of running Ansible."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from dhakacart_runbooks.errors import RunbookError
from dhakacart_runbooks.events import Event, RunFinished, RunStarted
from dhakacart_runbooks.launcher_api import RunHandle
from dhakacart_runbooks.outcome import RunOutcome, RunStatus
from dhakacart_runbooks.request import RunRequest

RUN_ID = "run-1"


class Handle:
    """Plays the events; one that is callable is called in its place, and the run waits for it."""

    def __init__(self, launcher: ScriptedLauncher, request: RunRequest) -> None:
        self._launcher, self._request = launcher, request
        self.cancelled = threading.Event()
        self.left = False
        self._outcome: RunOutcome | None = None

    @property
    def run_id(self) -> str:
        return RUN_ID

    def events(self) -> Iterator[Event]:
        request = self._request
        yield RunStarted(
            run_id=RUN_ID,
            runbook=request.runbook,
            sections=request.sections,
            inventory=request.inventory or "lab",
            check=request.check,
        )
        for event in self._launcher.script:
            if callable(event):
                event(self)
            else:
                yield event
            if self.cancelled.is_set():
                break
        yield RunFinished(outcome=self.wait().to_json())

    def stream(self) -> AsyncIterator[Event]:
        raise NotImplementedError

    def cancel(self) -> None:
        self.cancelled.set()

    def wait(self, timeout: float | None = None) -> RunOutcome:
        ended: dict[str, Any] = {"status": RunStatus.HEALTHY, "rc": 0, **self._launcher.ended}
        if self.cancelled.is_set():
            ended |= {"status": RunStatus.CANCELLED, "rc": 254}
        return RunOutcome(run_id=RUN_ID, request=self._request, started=100.0, finished=104.0, **ended)

    def __enter__(self) -> RunHandle:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.left = True


class ScriptedLauncher:
    """``script`` is played for every request, then the run ends with ``ended``."""

    def __init__(
        self, script: Sequence[Event | Callable[[Handle], None]] = (), error: RunbookError | None = None, **ended: Any
    ) -> None:
        self.script, self.error, self.ended = script, error, ended
        self.requests: list[RunRequest] = []
        self.handles: list[Handle] = []

    def start(self, request: RunRequest) -> RunHandle:
        if self.error:
            raise self.error
        self.requests.append(replace(request))
        self.handles.append(Handle(self, request))
        return self.handles[-1]

    def run(self, request: RunRequest) -> RunOutcome:
        handle = self.start(request)
        list(handle.events())
        return handle.wait()

    async def arun(self, request: RunRequest) -> RunOutcome:
        return self.run(request)
