# SPDX-License-Identifier: GPL-3.0-or-later
"""Time commands side by side: wall-clock and processor seconds, in rounds, and where it was done."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

DEADLINE_SECONDS = 300


class RunFailed(Exception):
    """A command that was to be timed did not do its work; its time means nothing."""


@dataclass
class Timed:
    """A command and the seconds each of its runs took.

    :param title: what it is, for people.
    :param ok: exit codes that mean that it did its work.
    """

    title: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    ok: frozenset[int] = frozenset({0})
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self, folder: Path) -> None:
        """Run it once in ``folder`` and note the time; RunFailed with its last lines if it did not do its work."""
        before = os.times()
        begin = time.monotonic()
        done = subprocess.run(
            self.argv,
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        wall = time.monotonic() - begin
        after = os.times()
        if done.returncode not in self.ok:
            said = (done.stdout + done.stderr).strip().splitlines()[-6:]
            raise RunFailed(f"{self.title}: exit code {done.returncode}\n  " + "\n  ".join(said))
        self.wall.append(wall)
        used, earlier = after.children_user + after.children_system, before.children_user + before.children_system
        self.processor.append(used - earlier)

    def warm_up(self, folder: Path) -> None:
        """Run it once, for nothing: files get into the page cache, modules are compiled."""
        self.run(folder)
        self.wall.clear()
        self.processor.clear()

    @property
    def median(self) -> float:
        """Median wall-clock seconds."""
        return statistics.median(self.wall)

    def describe(self) -> dict[str, object]:
        """JSON-clean."""
        return {
            "title": self.title,
            "wall_seconds": [round(seconds, 3) for seconds in self.wall],
            "processor_seconds": [round(seconds, 3) for seconds in self.processor],
            "median": round(self.median, 3),
        }


def interleaved(commands: Sequence[Timed], repeats: int, folder: Path) -> None:
    """A B C, A B C, …: what slows the machine down for a while slows all of them down."""
    for _ in range(repeats):
        for command in commands:
            command.run(folder)


def machine() -> dict[str, object]:
    """What the figures depend on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_1_5_15_min": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        **{package: version(package) for package in ("ansible-core", "kubernetes", "boto3", "psycopg", "redis")},
    }
