# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench of a drill: where its phases are timed, written down and told, and its sections are run."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InfrastructureError
from ..launcher_api import Launcher
from ..request import RunRequest
from . import journal
from .journal import Entry, Phase
from .progress import Progress, Silent
from .scenario import Scenario
from .section import SectionRun, run_section
from .target import Target


class Unmet(InfrastructureError):
    """A precondition does not hold: the drill was not begun, or proves nothing."""


@dataclass
class Bench:
    """What the phases of one drill share.

    :param inventory: as the person named it; None is the lab.
    :param record_folder: where incident records go; None is a folder beside the journal.
    :param safe: set while the environment is put back: a journal that cannot be written must not stop that.
    """

    target: Target
    launcher: Launcher
    inventory: str | None
    entry: Entry
    progress: Progress = field(default_factory=Silent)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    safe: bool = False
    record_folder: Path | None = None
    took: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Times the block; the journal has it before it begins and after it ended."""
        phase = Phase(name, self.clock())
        self.entry.phases.append(phase)
        self.keep()
        self.progress.begin(name)
        try:
            yield phase
            phase.ok = phase.ok is not False
        except BaseException as error:
            phase.ok = False
            phase.detail = phase.detail or str(error) or type(error).__name__
            raise
        finally:
            phase.finished = self.clock()
            self.took[name] = round(phase.finished - phase.started, 2)
            self.keep()
            self.progress.end(phase)

    def keep(self) -> None:
        """Write the journal."""
        if self.safe:
            with suppress(InfrastructureError):
                journal.write(self.entry)
        else:
            journal.write(self.entry)

    def run(self, scenario: Scenario, section: str, **more: Any) -> SectionRun:
        """One section, as its own run, with the record of the rehearsal beside the journal."""
        return self.run_request(
            RunRequest(
                runbook=scenario.runbook,
                sections=(section,),
                inventory=self.inventory,
                overlays=self.target.overlays,
                variables={"dhakacart_incident_dir": str(self.records), **more.pop("variables", {})},
                timeout=scenario.objectives.rto_seconds + 60,
                **more,
            )
        )

    def run_request(self, request: RunRequest) -> SectionRun:
        """Any run; InfrastructureError where it could not give an answer."""
        done = run_section(self.launcher, request, self.progress.event)
        self.entry.runs.append(done.outcome.run_id)
        if not done.ran:
            what = done.outcome.message or f"the run ended as {done.outcome.status}"
            raise InfrastructureError(
                what, where="/".join((request.runbook, *request.sections)), remedy="runbook doctor"
            )
        return done

    @property
    def records(self) -> Path:
        """Incident records of this rehearsal: apart from those of real incidents, and of other drills."""
        return self.record_folder or journal.folder() / "records" / self.entry.id

    def wait_for(self, what: Callable[[], str], seconds: float, every: float = 1.0) -> str:
        """Ask until the answer is empty; the last answer after ``seconds``."""
        end = self.clock() + seconds
        while problem := what():
            if self.clock() >= end:
                return problem
            self.sleep(every)
        return ""


@contextmanager
def undisturbed(say: Callable[[str], None]) -> Iterator[None]:
    """Signals that end a program are put off: what is being put back is put back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def later(number: int, _frame: object) -> None:
        if not held:
            say("putting everything back first; it takes a few seconds")
        held.append(number)

    before: Mapping[int, Any] = {n: signal.signal(n, later) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held and held[0] != signal.SIGINT:
        os.kill(os.getpid(), held[0])
    elif held:
        raise KeyboardInterrupt
