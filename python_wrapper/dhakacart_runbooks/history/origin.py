# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process a run belongs to, and whether that process is still there."""

from __future__ import annotations

import getpass
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

STALE_SECONDS = 60.0
# A process that is there but has said nothing for so long has lost its run. Should it only have been asleep
# (a closed laptop), its next heartbeat takes the mark back.
SILENT_SECONDS = 3600.0
_DEAD_STATES = "ZXx"


@dataclass(frozen=True)
class Origin:
    """A process that can be told from every other one, on this and on other machines."""

    user: str
    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    pid_start: int

    @classmethod
    def here(cls) -> Origin:
        """The calling process."""
        pid = os.getpid()
        return cls(
            user=_user(),
            host=socket.gethostname(),
            boot_id=_read("/proc/sys/kernel/random/boot_id"),
            pid_namespace=_namespace(),
            pid=pid,
            pid_start=start_of(pid) or 0,
        )


class Alive(Protocol):
    """What is known of a run that has not ended."""

    @property
    def host(self) -> str: ...
    @property
    def boot_id(self) -> str: ...
    @property
    def pid_namespace(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def pid_start(self) -> int: ...
    @property
    def heartbeat(self) -> float: ...


def is_gone(run: Alive, *, now: float, here: Origin) -> bool:
    """Whether nobody is left who could end this run.

    :param now: epoch seconds, on the clock that ``heartbeat`` was written with.
    """
    silent = now - run.heartbeat
    if run.host == here.host and run.boot_id and run.boot_id == here.boot_id:
        if run.pid_namespace == here.pid_namespace and run.pid_start:
            return start_of(run.pid) != run.pid_start or silent > SILENT_SECONDS
    elif run.host == here.host and run.boot_id and here.boot_id and run.heartbeat < booted():
        return True
    # Another machine, a container beside this one, or a system without /proc: only its silence tells.
    return silent > STALE_SECONDS


def start_of(pid: int) -> int | None:
    """When a process was started, in clock ticks after boot; None when there is no such process or it is dead."""
    said = _read(f"/proc/{pid}/stat")
    # The name of the program stands in parentheses and may contain anything.
    fields = said.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in _DEAD_STATES:
        return None
    return int(fields[19])


def booted() -> float:
    """When this machine was started, in epoch seconds; 0 where that cannot be read."""
    for line in _read("/proc/stat").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0


def _user() -> str:
    """The person, also behind sudo."""
    if behind := os.environ.get("SUDO_USER"):
        return behind
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _namespace() -> str:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def _read(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    return ""
