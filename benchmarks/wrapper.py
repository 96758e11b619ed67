# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the wrapper cost? Whole process against whole process, for the same ``--tags immediate``.

Starts a lab of its own, runs every command once to warm up, then all of them in turns, and prints medians and ratios.
A goal that is missed is a measurement, not a failure: exit code 0. 2 when a command did not do its work, 4 when the lab
did not start.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from dhakacart_lab.lab import Lab
from dhakacart_lab.layout import LabError
from immediate import LAB, ROOT, environment
from measuring import RunFailed, Timed, interleaved, machine

MOST = 1.10
# What a program that uses the wrapper looks like; its exit code is the outcome's.
PROGRAM = """
import sys
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.launcher import RunnerLauncher
from dhakacart_runbooks.request import RunRequest
request = RunRequest("database-failure", ("immediate",), variables={"dhakacart_incident_dir": sys.argv[1]})
sys.exit(RunnerLauncher(Catalogue.load()).run(request).exit_code)
"""
TITLES = {"A": "ansible-playbook", "W": "the same through the wrapper, from Python", "R": "the same, runbook run"}
# The lab's cache has few look-ups when it is young, which the outcome reports as unhealthy.
DONE = frozenset({0, 2})


def commands(lab: Lab, folder: Path, *, command_line: bool) -> dict[str, Timed]:
    """Letter -> what is timed."""
    env = {**environment(lab), "DHAKACART_STATE_HOME": str(folder / "state")}
    incidents = f"dhakacart_incident_dir={folder / 'incidents'}"
    argv = {
        "A": ["ansible-playbook", "playbooks/database-failure.yml", "--tags", "immediate", "-e", incidents],
        "W": [sys.executable, "-c", PROGRAM, str(folder / "incidents")],
        "R": ["runbook", "run", "database-failure", "-s", "immediate", "-e", incidents],
    }
    chosen = ("A", "W", "R") if command_line else ("A", "W")
    return {
        letter: Timed(TITLES[letter], argv[letter], env, frozenset({0}) if letter == "A" else DONE) for letter in chosen
    }


def run(repeats: int, *, command_line: bool) -> dict[str, object]:
    """All that is measured, JSON-clean."""
    lab = Lab.up(LAB)
    try:
        with tempfile.TemporaryDirectory(prefix="dhakacart-bench-") as name:
            timed = commands(lab, Path(name), command_line=command_line)
            for command in timed.values():
                command.warm_up(ROOT)
            interleaved(list(timed.values()), repeats, ROOT)
    finally:
        lab.down()
    bare = timed["A"]
    return {
        "machine": machine(),
        "repeats": repeats,
        "runs": {letter: command.describe() for letter, command in timed.items()},
        "ratios": {letter: round(command.median / bare.median, 3) for letter, command in timed.items()},
        # Each round on its own: what slows the machine for a while slows both halves of a pair.
        "paired": {
            letter: round(sorted(w / a for w, a in zip(command.wall, bare.wall, strict=True))[repeats // 2], 3)
            for letter, command in timed.items()
        },
    }


def show(report: dict[str, object]) -> None:
    """The table that people read."""
    where = report["machine"]
    print(", ".join(f"{name} {value}" for name, value in where.items()))  # type: ignore[attr-defined]
    print(f"{report['repeats']} rounds, interleaved; the load includes this benchmark's lab")
    print(f"\n  {'':<44}{'min':>8}{'median':>8}{'max':>8}{'CPU':>8}   seconds")
    for letter, run in report["runs"].items():  # type: ignore[attr-defined]
        wall, cpu = sorted(run["wall_seconds"]), sorted(run["processor_seconds"])
        name = f"{letter:<3}{run['title']}"
        print(f"  {name:<44}{wall[0]:>8.2f}{run['median']:>8.2f}{wall[-1]:>8.2f}{cpu[len(cpu) // 2]:>8.2f}")
    for letter, ratio in report["ratios"].items():  # type: ignore[attr-defined]
        if letter != "A":
            met = "met" if ratio <= MOST else "MISSED"
            paired = report["paired"][letter]  # type: ignore[index]
            print(f"  {letter} / A  {ratio:>5.2f}   goal <= {MOST}: {met}; median of the rounds' ratios {paired:.2f}")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=9, help="rounds; 9 without it")
    parser.add_argument("--command-line", action="store_true", help="measure also the command: runbook run")
    parser.add_argument("--json", action="store_true", help="for machines")
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        parser.error("--repeats must be at least 1")
    os.environ.setdefault("NO_COLOR", "1")
    try:
        report = run(arguments.repeats, command_line=arguments.command_line)
    except RunFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 4
    if arguments.json:
        print(json.dumps(report, indent=1))
    else:
        show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
