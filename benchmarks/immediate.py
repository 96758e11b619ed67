# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast is ``--tags immediate``? Ratios against baselines measured in the same run; see README.md beside this file.

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
import time
from pathlib import Path

from dhakacart_lab.faults.catalogue import inject
from dhakacart_lab.lab import Lab
from dhakacart_lab.layout import LabError
from measuring import RunFailed, Timed, interleaved, machine

ROOT = Path(__file__).resolve().parents[1]
LAB = "bench"
MOST_OVERHEAD = 1.3
LEAST_GAIN = 5.0
LETTERS = {
    "A": "--tags immediate, whole",
    "B": "ansible-playbook, a play without tasks",
    "C": "the same reads, one plain Python process",
    "C2": "  the same, with the typed clients",
    "D": "the same reads, stock modules",
    "F": "the same reads, one platform_facts task",
}


def environment(lab: Lab) -> dict[str, str]:
    """A person's environment: no settings of Ansible but the repository's, and none that change how Python starts.

    With PYTHONDONTWRITEBYTECODE, say, every run would compile the SDKs anew, which no second run of a person does.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "DHAKACART_LAB": LAB,
        "NO_COLOR": "1",
        # For the stock modules, some of which take them from nowhere else.
        "K8S_AUTH_KUBECONFIG": str(lab.layout.kubeconfig),
        "AWS_SHARED_CREDENTIALS_FILE": str(lab.layout.aws_credentials),
    }


def statements() -> dict[str, list[str]]:
    """The SQL of the collection, for the stock modules."""
    sys.path.insert(0, str(ROOT / ".collections"))
    from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql import queries as sql

    both = [sql.SERVER, sql.SETTINGS, sql.SESSIONS.replace("{application}", "benchmark"), sql.CONTROL, sql.SLOTS]
    both += [sql.DATABASE, sql.ROLE_SETTINGS, sql.WAL_SIZE]
    return {
        "stock_primary_statements": [*both, sql.STANDBYS, sql.ARCHIVER],
        "stock_standby_statements": [*both, sql.RECEIVER, sql.RECOVERY],
    }


def commands(lab: Lab, folder: Path, *, broken: bool) -> dict[str, Timed]:
    """Letter -> what is timed."""
    env = environment(lab)
    python, options = sys.executable, folder / "systems.json"
    stock = folder / f"stock-{'broken' if broken else 'healthy'}.json"
    stock.write_text(json.dumps({**statements(), "stock_broken": broken}), encoding="utf-8")
    Timed("options", ["ansible-playbook", "benchmarks/options.yml", "-e", f"options_file={options}"], env).run(ROOT)
    runbook = ["ansible-playbook", "playbooks/database-failure.yml", "--tags", "immediate"]
    argv = {
        "A": [*runbook, "-e", f"dhakacart_incident_dir={folder / 'incidents'}"],
        "B": ["ansible-playbook", "benchmarks/empty.yml"],
        "C": [python, "benchmarks/reads.py", "collection", str(options)],
        "C2": [python, "benchmarks/reads.py", "clients", str(options)],
        "D": ["ansible-playbook", "benchmarks/stock.yml", "-e", f"@{stock}"],
        "F": ["ansible-playbook", "benchmarks/facts.yml"],
    }
    environments = {letter: {**env, "PYTHONPATH": str(ROOT / ".collections")} for letter in ("C", "C2")}
    # On a broken platform the plain reads say so by exit code 1.
    codes = {letter: frozenset({0, 1} if broken and letter.startswith("C") else {0}) for letter in argv}
    return {
        letter: Timed(LETTERS[letter], argv[letter], environments.get(letter, env), codes[letter]) for letter in argv
    }


def measure(lab: Lab, folder: Path, repeats: int, *, broken: bool) -> dict[str, object]:
    """One state of the platform: times, medians, ratios."""
    timed = commands(lab, folder, broken=broken)
    for command in timed.values():
        command.warm_up(ROOT)
    interleaved(list(timed.values()), repeats, ROOT)
    # The baseline is the faster of the two ways to write it.
    reads = min(timed["C"].median, timed["C2"].median)
    return {
        "runs": {letter: command.describe() for letter, command in timed.items()},
        "overhead": round(timed["A"].median / (timed["B"].median + reads), 2),
        "gain": round(timed["D"].median / timed["A"].median, 2),
        "gain_reads_only": round(timed["D"].median / timed["F"].median, 2),
    }


def show(state: str, result: dict[str, object]) -> None:
    """The table that people read."""
    print(f"\n{state}\n  {'':<44}{'min':>8}{'median':>8}{'max':>8}{'CPU':>8}   seconds")
    for letter, run in result["runs"].items():  # type: ignore[attr-defined]
        wall, cpu = sorted(run["wall_seconds"]), sorted(run["processor_seconds"])
        name = f"{letter:<3}{run['title']}"
        print(f"  {name:<44}{wall[0]:>8.2f}{run['median']:>8.2f}{wall[-1]:>8.2f}{cpu[len(cpu) // 2]:>8.2f}")
    met = {True: "met", False: "MISSED"}
    overhead, gain = float(str(result["overhead"])), float(str(result["gain"]))
    print(f"  A / (B + C)  {overhead:>5.2f}   goal <= {MOST_OVERHEAD}: {met[overhead <= MOST_OVERHEAD]}")
    print(f"  D / A        {gain:>5.2f}   goal >= {LEAST_GAIN:g}: {met[gain >= LEAST_GAIN]}")
    print(f"  D / F        {result['gain_reads_only']:>5}   reads alone, no goal")


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """All that is measured, JSON-clean."""
    report: dict[str, object] = {"machine": machine(), "repeats": arguments.repeats}
    lab = Lab.up(LAB)
    try:
        with tempfile.TemporaryDirectory(prefix="dhakacart-bench-") as name:
            report["healthy"] = measure(lab, Path(name), arguments.repeats, broken=False)
            if arguments.fault:
                fault = inject(lab, arguments.fault, lease=3600)
                time.sleep(fault.settle)
                report[arguments.fault] = measure(lab, Path(name), arguments.repeats, broken=True)
    finally:
        lab.down()
    return report


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=5, help="rounds; 5 without it")
    parser.add_argument("--fault", default="", help="measure also with this fault, for example primary-killed")
    parser.add_argument("--json", action="store_true", help="for machines")
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        parser.error("--repeats must be at least 1")
    try:
        report = run(arguments)
    except RunFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 4
    if arguments.json:
        print(json.dumps(report, indent=1))
        return 0
    where = report["machine"]
    print(", ".join(f"{name} {value}" for name, value in where.items()))  # type: ignore[attr-defined]
    print(f"{arguments.repeats} rounds, interleaved; the load includes this benchmark's lab")
    for state in ("healthy", arguments.fault):
        if state:
            show("healthy lab" if state == "healthy" else f"lab with {state}", report[state])  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main())
