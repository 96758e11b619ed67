# SPDX-License-Identifier: GPL-3.0-or-later
"""``make demo``: the product's main job on real input, measured.

Starts a lab of its own, kills the database while customers order, lets the runbook bring the shop back section by
section, and says what it cost: the outage in seconds (RTO) and the acknowledged orders that were lost (RPO).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from .failures import as_lab_errors
from .faults.catalogue import inject
from .lab import Lab
from .layout import LabError
from .shopper.record import acknowledged, lost_attempts, outages, read

NAME = "demo"
FAULT = "primary-killed"
SECTIONS = ("immediate", "investigation", "resolution", "verification")
RTO_SECONDS = 300
SECTION_SECONDS = RTO_SECONDS + 60
EXIT_TIMEOUT = 124  # as timeout(1)
ROOT = Path(__file__).resolve().parents[2]


def section(name: str) -> int:
    """Run one section as a person would; its exit code."""
    argv = ["ansible-playbook", "playbooks/database-failure.yml", "--tags", name]
    print(f"\n$ {' '.join(argv)}", flush=True)
    environment = {**os.environ, "DHAKACART_LAB": NAME}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    try:
        return subprocess.run(argv, cwd=ROOT, env=environment, timeout=SECTION_SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        print(f"  not done after {SECTION_SECONDS} s: ended")
        return EXIT_TIMEOUT
    except FileNotFoundError:
        raise LabError("no ansible-playbook beside this Python; remedy: make setup") from None


def run() -> int:
    """The whole demo; its exit code."""
    print("Starting a local DhakaCart (the lab):", flush=True)
    lab = _up()
    try:
        time.sleep(3)  # a few orders before it breaks
        fault = inject(lab, FAULT, lease=900)
        broken = time.time()
        print(f"\nBroken on purpose: {fault.title}", flush=True)
        time.sleep(fault.settle)
        codes = {name: section(name) for name in SECTIONS}
        time.sleep(2)
        return _report(lab, broken, codes)
    finally:
        lab.down()
        print("The lab is down.", flush=True)


def _up() -> Lab:
    try:
        return Lab.up(NAME, lambda line: print(f"  {line}", flush=True))
    except LabError as error:
        raise LabError(f"{error} (the name of this lab is {NAME}: runbook lab down -n {NAME})") from None
    except KeyboardInterrupt:
        Lab.remove(NAME)
        raise


def _report(lab: Lab, broken: float, codes: dict[str, int]) -> int:
    attempts = read(lab.layout)
    outage = next(iter(outages(attempts, broken)), None)
    orders = acknowledged(attempts)
    with lab.cluster.connect() as database:
        missing = lost_attempts(attempts, database)
    print("\nMeasured by the shopper, who ordered all the time:")
    if outage is None or outage.seconds is None:
        print("  RTO   not recovered" if outage else "  RTO   no outage was seen")
    else:
        print(f"  RTO   {outage.seconds:.1f} s without an order (objective {RTO_SECONDS} s)")
    print(f"  RPO   {len(missing)} of {len(orders)} acknowledged orders lost")
    failed = [name for name, code in codes.items() if code != 0]
    if failed:
        print(f"  sections that failed: {', '.join(failed)}")
    good = not failed and not missing and outage is not None and outage.seconds is not None
    return 0 if good and outage.seconds <= RTO_SECONDS else 2  # type: ignore[union-attr,operator]


def main() -> None:
    try:
        with as_lab_errors():
            sys.exit(run())
    except LabError as error:
        print(f"make demo: {error}", file=sys.stderr)
        sys.exit(4)
    except KeyboardInterrupt:
        print("make demo: interrupted", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
