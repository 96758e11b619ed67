# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that keeps one run's row up to date."""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import InfrastructureError, RunbookError
from ..events import EnvironmentKnown, Event, SectionFinished
from ..outcome import RunOutcome
from .address import Address
from .rows import RUNNING, RunRow, SectionRow
from .spool import Spool

if TYPE_CHECKING:
    from .store import History

BEAT_SECONDS = 10.0
# Importing SQLAlchemy takes half a second of this process, which is needed to start Ansible: it waits for the first
# event, and for so long at most.
START_SECONDS = 1.0


class Follower:
    """Writes what it is told in order, and a sign of life every ten seconds."""

    def __init__(self, run: RunRow, address: Address, history: History | None, collection_version: str | None) -> None:
        self.address, self.spool = address, Spool(address.spool)
        self.error: RunbookError | None = None
        self._run, self._history, self._collection_version = run, history, collection_version
        self._given = history is not None
        self._sections: list[SectionRow] = []
        self._told: queue.SimpleQueue[Event | RunOutcome | None] = queue.SimpleQueue()
        self._begin, self._entered = threading.Event(), threading.Event()
        self._complained = False
        self._thread = threading.Thread(target=self._work, name=f"history of {run.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def tell(self, event: Event) -> None:
        """Hand on what the history keeps; returns at once."""
        self._begin.set()
        if isinstance(event, EnvironmentKnown | SectionFinished):
            self._told.put(event)

    def complain(self) -> None:
        """Raise what went wrong, the first time only."""
        if self.error and not self._complained:
            self._complained = True
            raise self.error

    def end(self, outcome: RunOutcome, seconds: float) -> bool:
        """Write the end of the run; whether the database has it after ``seconds``. If not, the spool has it."""
        ended = self._run.ended(outcome)
        self._told.put(outcome)
        self._begin.set()
        self._thread.join(0 if self.error else seconds)  # a database that failed a moment ago is not waited for
        if not self._entered.is_set():
            self._keep(ended, SectionRow.all_of(outcome))
        return self._entered.is_set()

    def _work(self) -> None:
        self._begin.wait(START_SECONDS)
        wrapper, collection = _versions(self._collection_version)
        self._run = replace(self._run, wrapper_version=wrapper, collection_version=collection)
        self._write(first=True)
        while self._run.status == RUNNING:
            try:
                self._apply(self._told.get(timeout=BEAT_SECONDS))
            except queue.Empty:
                self.error = None  # tried again with every heartbeat
            # A database that does not answer takes seconds each time: events in between are not worth them.
            if self._run.status != RUNNING or not self.error:
                self._write()
        if self._history and not self._given:
            self._history.close()

    def _apply(self, told: Event | RunOutcome | None) -> None:
        if isinstance(told, EnvironmentKnown):
            self._run = replace(self._run, environment=told.environment, record=told.record)
        elif isinstance(told, SectionFinished):
            self._sections.append(
                SectionRow(
                    run_id=self._run.id,
                    section=told.section,
                    position=len(self._sections),
                    elapsed=told.elapsed_seconds,
                    budget=told.budget_seconds,
                    likely_cause=told.likely_cause,
                    next=told.next,
                )
            )
            self._run = replace(self._run, likely_cause=told.likely_cause or self._run.likely_cause, next=told.next)
        elif isinstance(told, RunOutcome):
            self._run, self._sections = self._run.ended(told), SectionRow.all_of(told)

    def _write(self, *, first: bool = False) -> None:
        try:
            if self._history is None:
                from .store import History

                self._history = History.open(self.address.url or str(self.address.file))
            self._history.record(self._run, self._sections)
            self.error = None
            if self._run.status != RUNNING:
                self._entered.set()
                return
            self.spool.drop(self._run.id)
            if first:
                self._history.prune_if_due()
        except RunbookError as error:
            self.error = error
        except Exception as error:  # a thread that dies silently would let the run go unrecorded
            self.error = InfrastructureError(
                f"{type(error).__name__}: {error}", where=f"history {self.address.shown}", remedy="runbook history"
            )
        if self.error and self._run.status != RUNNING:
            self._keep(self._run, self._sections)

    def _keep(self, run: RunRow, sections: list[SectionRow]) -> None:
        with contextlib.suppress(OSError):
            self.spool.put(run, sections)


def _versions(collection: str | None) -> tuple[str, str]:
    """Of the wrapper and of the collection; what cannot be found out is empty."""
    from importlib import metadata

    wrapper = ""
    with contextlib.suppress(metadata.PackageNotFoundError):
        wrapper = metadata.version("dhakacart-runbooks")
    if collection is None:
        with contextlib.suppress(RunbookError):
            from ..collection import Collection

            collection = Collection.find().version
    return wrapper, collection or ""
