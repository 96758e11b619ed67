# SPDX-License-Identifier: GPL-3.0-or-later
"""What containers use: CPU time and memory of their process groups, read from /proc once for all of them.

A container's processes are those of its session, what descends from it included, and the commands that are executed in
it. Their CPU time counts, not the load of the machine: a busy neighbour makes no pod look busy.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Task:
    """One process of the machine. ``cpu``: seconds, those of its children that ended included; ``memory``: bytes."""

    pid: int
    parent: int
    session: int
    cpu: float
    memory: int


@dataclass(frozen=True)
class Usage:
    """CPU seconds since the start and bytes now."""

    cpu: float
    memory: int


def tasks() -> list[Task]:
    """Every process there is."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                found.append(_task(int(entry.name)))
    return found


def _task(pid: int) -> Task:
    # man proc_pid_stat, counted from the state, which follows the name in parentheses
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    ticks = sum(int(value) for value in fields[11:15])
    return Task(pid, int(fields[1]), int(fields[3]), ticks / TICKS, int(fields[21]) * PAGE)


def of_sessions(everything: Iterable[Task], leaders: set[int]) -> Usage:
    """The use of the sessions that these processes lead, and of what descends from them."""
    everything = list(everything)
    chosen = {task.pid for task in everything if task.session in leaders or task.pid in leaders}
    grown = True
    while grown:
        more = {task.pid for task in everything if task.parent in chosen} - chosen
        chosen |= more
        grown = bool(more)
    mine = [task for task in everything if task.pid in chosen]
    return Usage(sum(task.cpu for task in mine), sum(task.memory for task in mine))


class Counter:
    """A CPU time that never falls: what a process used that ended, and nobody waited for, stays counted."""

    def __init__(self) -> None:
        self._lost = 0.0
        self._last = 0.0

    def count(self, seconds: float) -> float:
        if seconds < self._last:
            self._lost += self._last - seconds
        self._last = seconds
        return self._lost + seconds
