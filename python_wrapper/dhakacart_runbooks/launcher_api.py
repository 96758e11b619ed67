# SPDX-License-Identifier: GPL-3.0-or-later
"""What a launcher promises: the seam between what is asked for and what runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from .events import Event, RunStarted
from .outcome import RunOutcome
from .request import RunRequest


class Observer(Protocol):
    """Something that wants to know of every run, e.g. the history. It is called from one thread, in order.

    An observer that raises does not stop the run: the error is reported in a ``Said`` event, once.
    """

    def started(self, request: RunRequest, event: RunStarted) -> None:
        """Before the first task."""

    def event(self, event: Event) -> None:
        """Every event after ``RunStarted`` and before ``RunFinished``."""

    def finished(self, outcome: RunOutcome) -> None:
        """At the end, whatever became of it; not after the process itself was killed."""


class RunHandle(Protocol):
    """A run that was started. Leaving its ``with`` block before the end cancels it."""

    @property
    def run_id(self) -> str: ...

    def events(self) -> Iterator[Event]:
        """Every event, as it comes, from ``RunStarted`` to ``RunFinished``. For one consumer."""

    def stream(self) -> AsyncIterator[Event]:
        """The same without blocking the event loop."""

    def cancel(self) -> None:
        """End it; returns at once. ``wait`` says what became of it, when no process of it is left."""

    def wait(self, timeout: float | None = None) -> RunOutcome:
        """Its outcome; TimeoutError when it is not there after ``timeout`` seconds (the run goes on)."""

    def __enter__(self) -> RunHandle: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Launcher(Protocol):
    """Runs requests."""

    def start(self, request: RunRequest) -> RunHandle:
        """Validate and start; UsageError and InfrastructureError are raised here, before anything runs."""

    def run(self, request: RunRequest) -> RunOutcome:
        """Start and wait. Ctrl-C cancels, and the outcome says so."""

    async def arun(self, request: RunRequest) -> RunOutcome:
        """The same for asyncio; cancelling the task cancels the run."""
