# SPDX-License-Identifier: GPL-3.0-or-later
"""Blind drills: a random fault, a pager message, and a person who has to find the cause.

The truth stands only where the lab keeps its own truth (mode 0700), and in no journal, history or command line before
the answer.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import InfrastructureError, RunbookError, UsageError
from ..finding import Finding
from ..launcher_api import Launcher
from ..paths import private_home
from . import journal
from .bench import Bench, undisturbed
from .engine import Drill, Interrupted
from .guard import Refused
from .journal import ASKED, Entry
from .progress import Progress
from .rehearsal import State
from .result import Result
from .scenario import Scenario
from .section import SectionRun
from .target import Target

CUSTOMERS = ("http",)  # systems whose findings a customer could have told


@dataclass(frozen=True)
class Hidden:
    """What is kept until the answer."""

    id: str
    seed: int
    inventory: str | None
    state: State

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Page:
    """What a person on call is told: the alert and what customers see."""

    alert: str
    failed: int
    orders: int
    last_error: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def choose(scenarios: Sequence[Scenario], seed: int) -> Scenario:
    """The same one for the same seed and the same drills."""
    if not scenarios:
        raise UsageError("there is no drill to choose from")
    return random.Random(seed).choice(sorted(scenarios, key=lambda one: one.name))  # noqa: S311 - no secret


def start(
    scenario: Scenario, seed: int, target: Target, launcher: Launcher, inventory: str | None, progress: Progress
) -> tuple[Entry, Page]:
    """Break it and page. What is raised here leaves nothing broken."""
    if waiting(target.name):
        raise UsageError(
            "a blind drill waits for its answer",
            where=f"lab {target.name}",
            remedy="runbook drill answer",
        )
    drill = Drill.of(scenario, target, launcher, inventory=inventory, progress=progress, blind=True)
    # The records of its own readings name the cause, so nobody gets to see them; mode 0700.
    with tempfile.TemporaryDirectory(prefix="dhakacart-drill-", dir=private_home()) as folder:
        drill.bench.record_folder = Path(folder)
        return _begin(drill, seed, inventory)


def _begin(drill: Drill, seed: int, inventory: str | None) -> tuple[Entry, Page]:
    target, progress = drill.bench.target, drill.bench.progress
    try:
        drill.prepare()
        drill.break_it()
        page = _page(drill.detect(), drill)
        assert drill.state is not None
        _hide(target.secrets(), Hidden(drill.entry.id, seed, inventory, drill.state))
        drill.entry.status = ASKED
        for phase in drill.entry.phases:
            phase.detail = ""
        drill.bench.keep()
    except (KeyboardInterrupt, Exception) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        why = str(error) or type(error).__name__
        drill.seen = replace(drill.seen, interrupted=why) if interrupted else replace(drill.seen, invalid=why)
        with undisturbed(progress.say):
            drill.restore()
            _forget(target.secrets())
            result = drill.finish()
        if interrupted:
            raise Interrupted(result) from error
        if isinstance(error, Refused) or not isinstance(error, RunbookError):  # the latter is a bug, and shown as one
            raise
        raise InfrastructureError(f"the blind drill could not be begun: {result.score.reason}") from error
    return drill.entry, page


def _page(reading: SectionRun, drill: Drill) -> Page:
    """From the customers' side where they notice; else what the pager knows, which is the worst finding."""
    bad = reading.alarming(drill.silent)
    seen: list[Finding] = [f for f in bad if f.id.split(".")[0] in CUSTOMERS] or bad[:1]
    alert = "; ".join(f"{finding.component}: {finding.summary}" for finding in seen) or "an alert without details"
    assert drill.state is not None
    failed, orders, last = drill.bench.target.failing(drill.state.injected)
    return Page(alert, failed, orders, last)


def waiting(lab: str) -> Entry | None:
    """The blind drill on this lab that waits for its answer."""
    return next((entry for entry in reversed(journal.entries()) if entry.status == ASKED and entry.lab == lab), None)


def causes(scenarios: Sequence[Scenario]) -> Mapping[str, str]:
    """What may be answered: the id of each cause, and what it looks like."""
    return {one.expected_cause: one.title for one in sorted(scenarios, key=lambda one: one.expected_cause)}


def check_answer(cause: str, scenarios: Sequence[Scenario]) -> None:
    """UsageError for a cause that no drill has: a slip of the finger is no wrong answer."""
    known = causes(scenarios)
    if cause not in known:
        close = get_close_matches(cause.replace("-", "_"), known, n=1)
        hint = f"did you mean {close[0]}?" if close else "runbook drill answer lists them"
        raise UsageError("no such cause", where=cause, remedy=hint)


def answer(
    cause: str,
    scenarios: Sequence[Scenario],
    target: Target,
    launcher: Launcher,
    progress: Progress,
    *,
    runbook: bool = True,
) -> tuple[Result, int]:
    """Score the answer, then recover by the runbook, or only heal; the result and the seed.

    :raises UsageError: no blind drill waits on this lab, or there is no such cause.
    """
    entry = waiting(target.name)
    if entry is None:
        raise UsageError("no blind drill waits for it", where=f"lab {target.name}", remedy="runbook drill run --blind")
    check_answer(cause, scenarios)
    hidden = _hidden(target.secrets(), entry)
    scenario = next((one for one in scenarios if one.name == hidden.state.scenario), None)
    if scenario is None:
        raise InfrastructureError(
            f"the drill {hidden.state.scenario} is not there any more", remedy="runbook drill heal ends it"
        )
    entry.process = journal.here()
    entry.scenario = scenario.name  # from here on it may be known
    entry.status = journal.RUNNING
    drill = Drill(scenario, Bench(target, launcher, hidden.inventory, entry, progress), state=hidden.state)
    drill.answered(cause)
    interrupted: KeyboardInterrupt | None = None
    try:
        drill.probe()
        if runbook and scenario.recovers:
            drill.recover()
        drill.count()
    except KeyboardInterrupt as pressed:
        interrupted = pressed
        drill.seen = replace(drill.seen, interrupted="interrupted")
    except RunbookError as error:
        drill.seen = replace(drill.seen, invalid=str(error))
    finally:
        with undisturbed(progress.say):
            _forget(target.secrets())
            drill.restore()
            result = drill.finish(answer=cause)
    if interrupted:
        raise Interrupted(result) from interrupted
    return result, hidden.seed


def give_up(target: Target) -> Entry | None:
    """Close the waiting drill without an answer, e.g. because everything was healed."""
    entry = waiting(target.name)
    _forget(target.secrets())
    if entry is not None:
        entry.status, entry.note = journal.INTERRUPTED, "healed without an answer"
        journal.write(entry)
    return entry


def _hide(path: Path, hidden: Hidden) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(hidden.to_json(), file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InfrastructureError(f"cannot be written ({error.strerror})", where=str(path)) from None


def _hidden(path: Path, entry: Entry) -> Hidden:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        hidden = Hidden(**{**found, "state": State(**found["state"])})
    except (OSError, ValueError, TypeError, KeyError):
        hidden = None
    if hidden is None or hidden.id != entry.id:
        raise InfrastructureError(
            f"what the drill {entry.id} hid is gone: the lab was taken down or healed meanwhile",
            remedy="runbook drill heal closes it",
        )
    return hidden


def _forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
