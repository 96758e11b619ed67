# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of one PostgreSQL server, found without a pid file's word alone.

A killed postmaster leaves backends behind, each in a session of its own, and PostgreSQL writes its process titles over
the environment, lab marker included. The title itself stays: it begins with the server's cluster_name.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

import psutil

from ..layout import LabError

POLL = 0.02


def command_line(pid: int) -> list[str]:
    """The arguments of a process, or its title as the only one; empty for one that is gone or a zombie."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.rstrip(b"\0").decode(errors="replace").split("\0") if raw else []


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by SIGSTOP."""
    try:
        # The name, in parentheses, may hold anything; the state follows the last one.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "Tt"
    except (OSError, IndexError):
        return False


def find_processes(data: Path, title: str) -> list[int]:
    """Pids of the postmaster on ``data`` and of every process titled ``postgres: <title>: …``; postmaster first."""
    parents, children = [], []
    for pid in psutil.pids():
        arguments = command_line(pid)
        if not arguments:
            continue
        if arguments[0].startswith(f"postgres: {title}:"):
            children.append(pid)
        # Any argument: for a moment after the start it is still the shell that is about to become postgres.
        elif str(data) in arguments and any(Path(argument).name == "postgres" for argument in arguments):
            parents.append(pid)
    return sorted(parents) + sorted(children)


def read_postmaster(data: Path) -> tuple[int, int | None] | None:
    """(pid, id of its SysV shared memory) as ``postmaster.pid`` says; None without such a file."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        shared = lines[6].split() if len(lines) > 6 else []
        return int(lines[0]), int(shared[1]) if len(shared) == 2 else None
    except (OSError, ValueError, IndexError):
        return None


def postmaster_of(data: Path) -> int | None:
    """The pid of the living postmaster on ``data``; a pid used again by something else is not mistaken for it."""
    found = read_postmaster(data)
    return found[0] if found and str(data) in command_line(found[0]) else None


def send(pids: list[int], number: signal.Signals) -> None:
    """Signal processes; one that is gone does not matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_all(data: Path, title: str, timeout: float = 5.0) -> None:
    """SIGKILL every process of a server and wait until none is left. Raises LabError if one stays."""
    end = time.monotonic() + timeout
    while pids := find_processes(data, title):
        send(pids, signal.SIGKILL)
        if time.monotonic() > end:
            raise LabError(f"PostgreSQL processes {pids} on {data} survived SIGKILL for {timeout:.0f} s")
        time.sleep(POLL)


def clear_leftovers(data: Path) -> None:
    """Remove what a killed server leaves in the way of the next start: its pid file and its SysV shared memory."""
    found = read_postmaster(data)
    if found and found[1] is not None:
        remove_id = 0  # IPC_RMID
        ctypes.CDLL(None).shmctl(found[1], remove_id, None)
    (data / "postmaster.pid").unlink(missing_ok=True)
