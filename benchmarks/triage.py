# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast is ``runbook triage``, and is the first cause the true one? Over the healthy lab, every fault, and silence.

Starts a lab of its own, breaks it in every way, and times the whole command as a person types it. A goal that is missed
is a measurement, not a failure: exit code 0. 4 when the lab did not start.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from dhakacart_lab import edge, process
from dhakacart_lab.faults.catalogue import FAULTS, heal, inject
from dhakacart_lab.lab import Lab
from dhakacart_lab.layout import LabError
from measuring import machine

ROOT = Path(__file__).resolve().parents[1]
LAB = "bench-triage"
HEALTHY, SILENT = "healthy", "nothing answers"
GOAL_SECONDS = 10.0
DEADLINE_SECONDS = 120
LEASE_SECONDS = 3600


@dataclass
class Situation:
    """What was seen in one state of the lab.

    :param true_cause: what a good answer names first; empty for none.
    """

    name: str
    true_cause: str
    seconds: list[float] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    skipped: str = ""

    @property
    def right(self) -> int:
        """How often the first cause was the true one."""
        return sum(name == self.true_cause for name in self.named)


def triage(environment: dict[str, str]) -> tuple[float, str, int]:
    """Seconds of the whole command, the cause that it named first, its exit code."""
    argv = [str(Path(sys.executable).parent / "runbook"), "triage", "--json"]
    begin = time.monotonic()
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    seconds = time.monotonic() - begin
    try:
        likely = json.loads(done.stdout)["diagnosis"].get("likely") or {}
    except (ValueError, KeyError):
        return seconds, f"no answer: {done.stderr.strip()[-200:]}", done.returncode
    return seconds, str(likely.get("id", "")), done.returncode


def silence(lab: Lab) -> None:
    """Everything hangs: no refusal, no answer."""
    for endpoint in ("primary", "replica"):
        edge.set_mode(lab.layout, endpoint, "drop")
    lab.redis.freeze()
    for component in ("kubernetes", "aws", "loadbalancer"):
        if found := process.find(lab.layout, component):
            found.send_signal(signal.SIGSTOP)


def measure(lab: Lab, situation: Situation, repeats: int, environment: dict[str, str]) -> None:
    """Bring the situation about, look ``repeats`` times, and put everything back."""
    try:
        if situation.name == SILENT:
            silence(lab)
        elif situation.name != HEALTHY:
            time.sleep(inject(lab, situation.name, lease=LEASE_SECONDS).settle)
        for _ in range(repeats):
            seconds, named, code = triage(environment)
            situation.seconds.append(seconds)
            situation.named.append(named)
            situation.codes.append(code)
    except LabError as error:
        situation.skipped = str(error)
    finally:
        heal(lab)


def environment(state: str) -> dict[str, str]:
    """A person's environment, with a history of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    return {**kept, "DHAKACART_LAB": LAB, "DHAKACART_STATE_HOME": state, "NO_COLOR": "1"}


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def report(situations: list[Situation]) -> dict[str, object]:
    """JSON-clean."""
    done = [situation for situation in situations if situation.seconds]
    every = [seconds for situation in done for seconds in situation.seconds]
    faults = [situation for situation in done if situation.true_cause]
    return {
        "machine": machine(),
        "situations": [
            {
                "name": situation.name,
                "seconds": [round(seconds, 2) for seconds in situation.seconds],
                "true_cause": situation.true_cause,
                "named_first": situation.named,
                "exit_codes": situation.codes,
                "skipped": situation.skipped,
            }
            for situation in situations
        ],
        "p50": round(statistics.median(every), 2) if every else None,
        "p95": round(percentile(every, 0.95), 2) if every else None,
        "max": round(max(every), 2) if every else None,
        "top1": [sum(s.right for s in faults), sum(len(s.named) for s in faults)],
    }


def show(situations: list[Situation], figures: dict[str, object]) -> None:
    """The table that people read."""
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"  {'situation':<24}{'median':>8}{'max':>8}   first cause named (exit codes)")
    for situation in situations:
        if not situation.seconds:
            print(f"  {situation.name:<24}{'-':>8}{'-':>8}   not measured: {situation.skipped}")
            continue
        codes = ", ".join(map(str, sorted(set(situation.codes))))
        named = ", ".join(sorted(set(situation.named))) or "none"
        wrong = "" if situation.right == len(situation.named) else f"   WRONG, it is {situation.true_cause or 'none'}"
        middle, most = statistics.median(situation.seconds), max(situation.seconds)
        print(f"  {situation.name:<24}{middle:>8.2f}{most:>8.2f}   {named or 'none'} ({codes}){wrong}")
    top = figures["top1"]
    most = float(str(figures["max"]))
    print(f"  p50 {figures['p50']} s, p95 {figures['p95']} s, max {most} s", end="")
    print(f"   goal < {GOAL_SECONDS:g} s: {'met' if most < GOAL_SECONDS else 'MISSED'}")
    print(f"  the true cause is named first in {top[0]} of {top[1]}")  # type: ignore[index]


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=3, help="looks in each situation; 3 without it")
    parser.add_argument("--only", action="append", help="only this situation; may be repeated")
    parser.add_argument("--json", action="store_true", help="for machines")
    arguments = parser.parse_args()
    names = [HEALTHY, *FAULTS, SILENT]
    if unknown := sorted(set(arguments.only or ()) - set(names)):
        parser.error(f"unknown situation {unknown[0]!r}; one of {', '.join(names)}")
    situations = [
        Situation(name, FAULTS[name].cause if name in FAULTS else "")
        for name in names
        if not arguments.only or name in arguments.only
    ]
    try:
        lab = Lab.up(LAB)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 4
    try:
        with tempfile.TemporaryDirectory(prefix="dhakacart-bench-") as state:
            surroundings = environment(state)
            triage(surroundings)  # modules are compiled, files get into the page cache
            for situation in situations:
                measure(lab, situation, arguments.repeats, surroundings)
    finally:
        lab.down()
    figures = report(situations)
    if arguments.json:
        print(json.dumps(figures, indent=1))
    else:
        show(situations, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
