# SPDX-License-Identifier: GPL-3.0-or-later
"""The middle of a drill: from the break to the count, as an engineer on call would go through the runbook."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .bench import Bench
from .journal import Entry
from .measures import Downtime, downtime, loss
from .scenario import Scenario
from .score import Observed
from .section import SectionRun

DETECT_SECONDS = 120.0
DIAGNOSE_SECONDS = 60.0  # an investigation that names nothing is asked again as long
LAST_ORDER_SECONDS = 6.0  # a customer waits at most five seconds for an answer


@dataclass
class State:
    """What is known of a drill that has broken something; a blind one keeps it until the answer. Epoch seconds.

    :param before: the snapshot.
    :param lost_before: attempts whose orders were missing already.
    """

    scenario: str
    injected: float
    before: dict[str, Any]
    lost_before: list[str]
    leash: float


@dataclass
class Rehearsal:
    """What a drill sees, phase by phase."""

    scenario: Scenario
    bench: Bench
    seen: Observed = field(default_factory=Observed)
    at: dict[str, float] = field(default_factory=dict)
    state: State | None = None
    silent: SectionRun | None = None  # the symptoms while all was well
    record: str = ""  # the folder of the incident that the sections after the alert belong to

    @property
    def entry(self) -> Entry:
        return self.bench.entry

    def rehearse(self) -> None:
        """Everything between the break and the count."""
        self.detect()
        if "immediate" in self.scenario.sections:
            with self.bench.phase("contain"):
                self._keep(self.bench.run(self.scenario, "immediate"), "contain")
        self.diagnose()
        self.probe()
        if "resolution" in self.scenario.sections:
            self.recover()
        self.count()

    def detect(self) -> SectionRun:
        """Read the symptoms until somebody would be called."""
        bench = self.bench
        with bench.phase("detect") as phase:
            end = bench.clock() + DETECT_SECONDS
            while True:
                reading = bench.run(self.scenario, "symptoms")
                if reading.rings(self.silent):
                    self.seen = replace(self.seen, detected=True)
                    phase.detail = alarm(reading, self.silent)
                    self._mark("detect")
                    return reading
                if bench.clock() >= end:
                    phase.ok, phase.detail = False, f"no alert after {DETECT_SECONDS:.0f} s"
                    return reading

    def diagnose(self) -> None:
        """The first cause that is named counts; one that is not there yet is waited for."""
        bench = self.bench
        with bench.phase("diagnose") as phase:
            end = bench.clock() + DIAGNOSE_SECONDS
            reading = bench.run(self.scenario, "investigation")
            while not reading.cause and bench.clock() < end:
                bench.sleep(1)
                reading = bench.run(self.scenario, "investigation")
            self.seen = replace(self.seen, cause=reading.cause, branch=reading.branch)
            phase.ok = reading.cause == self.scenario.expected_cause
            phase.detail = reading.cause or "no cause named"
            self._keep(reading, "diagnose")

    def answered(self, cause: str) -> None:
        """A person has named the cause; of the branch he was not asked, so it is what belongs to the cause."""
        right = cause == self.scenario.expected_cause
        branch = (self.scenario.expected_branch or "") if right else ""
        self.seen = replace(self.seen, detected=True, cause=cause, branch=branch)
        self._mark("diagnose")

    def probe(self) -> None:
        """Ask the verification while it is still broken: one that is green now would be green over anything."""
        if "verification" not in self.scenario.sections:
            return
        with self.bench.phase("probe") as phase:
            probed = self.bench.run(self.scenario, "verification")
            self.seen = replace(self.seen, red_before=probed.said_recovered)
            phase.ok = not probed.said_recovered or not self.scenario.customers_notice
            phase.detail = "says recovered" if probed.said_recovered else "says not recovered, as it is"

    def recover(self) -> None:
        """Resolution, then wait until customers can order, at most until the objective; then the verification."""
        bench, scenario = self.bench, self.scenario
        with bench.phase("recover") as phase:
            resolved = bench.run(scenario, "resolution", approve=f"drill {self.entry.id}")
            self.seen = replace(self.seen, resolution_done=resolved.done)
            phase.ok = resolved.done
            phase.detail = "" if resolved.done else resolved.outcome.message
            self._keep(resolved, "recover")
        if not resolved.done:
            return
        with bench.phase("customers") as phase:
            rest = max(scenario.objectives.rto_seconds - self._since(), LAST_ORDER_SECONDS)
            still_out = bench.wait_for(self._still_out, rest)
            phase.ok, phase.detail = not still_out, still_out or "order again"
        with bench.phase("verify") as phase:
            verified = bench.run(scenario, "verification", variables=self._swapped())
            self.seen = replace(self.seen, green_after=verified.said_recovered)
            phase.ok = verified.said_recovered is True
            phase.detail = "says recovered" if verified.said_recovered else "says not recovered"
            self._keep(verified, "verify")

    def _swapped(self) -> dict[str, Any]:
        if not self.scenario.endpoints_swapped:
            return {}
        primary, standby = self.bench.target.hosts
        return {"dhakacart_db_host": standby, "dhakacart_db_replica_host": primary}

    def _still_out(self) -> str:
        return "" if self._downtime().over else "customers cannot order yet"

    def count(self) -> None:
        """What customers lost, from their own record."""
        assert self.state is not None
        with self.bench.phase("count") as phase:
            self.bench.sleep(LAST_ORDER_SECONDS)
            found = self._downtime()
            self.seen = replace(self.seen, downtime=found)
            phase.detail = _outage(found)
            if self.scenario.recovers:
                missing = self.bench.target.lost()
                lost = loss(missing, self.state.lost_before, self.state.injected)
                self.seen = replace(self.seen, loss=lost)
                phase.detail += f", {lost.count} orders lost"

    def _downtime(self) -> Downtime:
        assert self.state is not None
        return downtime(self.bench.target.outages(self.state.injected), self.state.injected)

    def _keep(self, run: SectionRun, step: str) -> None:
        self.record = run.outcome.record or self.record
        if run.time is not None:
            self.seen = replace(self.seen, sections=(*self.seen.sections, run.time))
        self._mark(step)

    def _mark(self, step: str) -> None:
        self.at[step] = round(self._since(), 2)

    def _since(self) -> float:
        assert self.state is not None
        return self.bench.clock() - self.state.injected


def _outage(found: Downtime) -> str:
    if not found.outages:
        return "no outage"
    text = f"{found.outages} outages" if found.outages > 1 else "1 outage"
    return f"{text}, {found.seconds:.1f} s" if found.seconds is not None else f"{text}, not over"


def alarm(reading: SectionRun, silent: SectionRun | None = None) -> str:
    """What the pager would say: the worst of what is worse than it was."""
    worst = next(iter(reading.alarming(silent)), None)
    return f"{worst.component}: {worst.summary}" if worst else reading.cause
