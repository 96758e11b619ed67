# SPDX-License-Identifier: GPL-3.0-or-later
"""One drill from beginning to end. Whatever happens after something was broken, it is put back.

prepare → break → detect → contain → diagnose → probe → recover → verify → count → heal → compare
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ..errors import RunbookError
from ..launcher_api import Launcher
from . import figures, journal
from .bench import Bench, Unmet, undisturbed
from .guard import Refused, check_target
from .progress import Progress, Silent
from .rehearsal import Rehearsal, State, alarm
from .result import Result
from .scenario import Precondition, Scenario
from .score import judge
from .section import SectionRun
from .target import Target

SETTLING_SECONDS = 45.0  # what the drill before has healed may take a moment to look well


class Drill(Rehearsal):
    """One drill of one scenario on one target."""

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        target: Target,
        launcher: Launcher,
        *,
        inventory: str | None = None,
        progress: Progress | None = None,
        blind: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Drill:
        """A new drill with a journal of its own."""
        entry = journal.begin(scenario.name, target.name, inventory or "lab", blind=blind)
        return cls(scenario, Bench(target, launcher, inventory, entry, progress or Silent(), sleep))

    def run(self, repetition: int = 1) -> Result:
        """Hold it; the result is there even when it was interrupted. What was broken is healed in any case."""
        interrupt: KeyboardInterrupt | None = None
        refused: Refused | None = None
        try:
            self.prepare()
            self.break_it()
            self.rehearse()
        except KeyboardInterrupt as pressed:
            interrupt = pressed
            self.seen = replace(self.seen, interrupted=f"interrupted in the phase {self._phase()}")
        except RunbookError as error:
            self.seen = replace(self.seen, invalid=self.seen.invalid or str(error))
            refused = error if isinstance(error, Refused) else None
        except Exception as bug:
            self.seen = replace(self.seen, invalid=f"the drill itself failed: {type(bug).__name__}: {bug}")
            raise
        finally:
            with undisturbed(self.bench.progress.say):
                self.restore()
                result = self.finish(repetition)
        if interrupt:
            raise Interrupted(result) from interrupt
        if refused:
            raise refused
        return result

    # ------------------------------------------------------------------ phases

    def prepare(self) -> None:
        """Preconditions, identity, and what the target is before; Unmet where one does not hold."""
        bench = self.bench
        with bench.phase("identity"):
            check_target(bench)
        with bench.phase("preconditions") as phase:
            silent = self._preconditions()
            phase.detail = f"{len(self.scenario.asked)} hold"
        with bench.phase("snapshot"):
            before = bench.target.snapshot()
            lost_before = [attempt.id for attempt in bench.target.lost()]
        self.silent = silent
        self.state = State(self.scenario.name, 0.0, before, lost_before, 0.0)

    def _preconditions(self) -> SectionRun | None:
        silent: SectionRun | None = None
        for condition in self.scenario.asked:
            if condition == "pager-silent":
                silent = self.bench.run(self.scenario, "symptoms")
                problem = alarm(silent) if silent.rings() else ""
            else:
                problem = self._unmet(condition)
            if problem:
                raise Unmet(f"precondition {condition}: {problem}", remedy="runbook drill heal, then again")
        return silent

    def _unmet(self, condition: Precondition) -> str:
        seconds = SETTLING_SECONDS if condition not in ("no-fault", "leash") else 0.0
        return self.bench.wait_for(lambda: self.bench.target.unmet(condition), seconds)

    def break_it(self) -> None:
        """Inject every fault, on a leash."""
        assert self.state is not None
        bench, lease = self.bench, self.scenario.lease_seconds
        with bench.phase("break") as phase:
            begin = bench.clock()
            self.state = replace(self.state, injected=begin, leash=begin + lease)
            self.entry.leash = self.state.leash
            bench.keep()  # before anything is broken: a drill that is killed here is understood
            for step in self.scenario.faults:
                if step.after_seconds:
                    bench.sleep(step.after_seconds)
                bench.target.inject(step.fault, lease - (bench.clock() - begin))
            phase.detail = f"leash {lease:.0f} s"

    # ------------------------------------------------------------------ the end

    def restore(self) -> None:
        """Heal and compare. Raises nothing: what goes wrong makes the drill invalid, and the leash is still there."""
        if self.state is None or not self.state.injected:
            return
        bench = self.bench
        bench.safe = True
        try:
            self._leash_held()
            with bench.phase("heal"):
                bench.target.heal()
            with bench.phase("compare") as phase:
                left = bench.target.residue(self.state.before)
                self.seen = replace(self.seen, residue=tuple(left))
                phase.ok, phase.detail = not left, "; ".join(left[:3]) or "as before"
        except RunbookError as error:
            self.seen = replace(self.seen, invalid=self.seen.invalid or f"could not be put back: {error}")

    def _leash_held(self) -> None:
        """A fault that the leash has ended meanwhile was not ended by the runbook: nothing was proven."""
        names = {step.fault for step in self.scenario.faults}
        gone = names - set(self.bench.target.broken())
        if gone and not self.seen.invalid and not self.seen.interrupted:
            self.seen = replace(
                self.seen,
                invalid=f"{', '.join(sorted(gone))} was ended by its leash, or by somebody else, during the drill",
            )

    def finish(self, repetition: int = 1, answer: str = "") -> Result:
        """Score it and close the journal."""
        entry, scenario = self.entry, self.scenario
        score = judge(scenario, self.seen)
        result = Result(
            id=entry.id,
            scenario=scenario.name,
            title=scenario.title,
            runbook=scenario.runbook,
            lab=entry.lab,
            inventory=entry.inventory,
            started=entry.started,
            finished=self.bench.clock(),
            observed=self.seen,
            score=score,
            expected_cause=scenario.expected_cause,
            at=dict(self.at),
            took=dict(self.bench.took),
            runs=tuple(entry.runs),
            repetition=repetition,
            blind=entry.blind,
            answer=answer,
        )
        figures.write(self.record, result, scenario)
        entry.scenario, entry.status, entry.finished = scenario.name, str(score.verdict), result.finished
        entry.note, entry.result = score.reason, result.to_json()
        self.bench.keep()
        return result

    def _phase(self) -> str:
        return self.entry.phases[-1].name if self.entry.phases else "start"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, after everything was put back."""

    def __init__(self, result: Result) -> None:
        self.result = result
        super().__init__()
