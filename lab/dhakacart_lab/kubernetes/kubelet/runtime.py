# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers as process groups, each behind a shim; found again after a restart of the kubelet."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...layout import Layout
from ...process import environment
from . import shim

START_TIMEOUT = 10.0  # seconds a shim may take to start its container


class StartError(Exception):
    """The command of a container could not be started."""


@dataclass(frozen=True)
class Exit:
    """How a container ended. ``lost``: its shim was killed, so nobody knows; the code is then 137."""

    code: int
    finished: str
    lost: bool = False


def _alive(pid: int, ticks: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        return state not in ("Z", "X") and shim.start_ticks(pid) == ticks
    except (OSError, IndexError):
        return False


class Process:
    """One run of a container: restart number ``restart`` in its folder."""

    def __init__(self, folder: Path, restart: int, started: Mapping[str, object]) -> None:
        self.folder = folder
        self.restart = restart
        self.pid = int(str(started["pid"]))
        self.started = str(started["started"])
        self._ticks = int(str(started["ticks"]))
        self._shim = int(str(started["shim_pid"])), int(str(started["shim_ticks"]))
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.restart}.log"

    @property
    def running(self) -> bool:
        return _alive(*self._shim)

    def exit(self) -> Exit:
        """How it ended; only to be asked once it has."""
        try:
            found = json.loads((self.folder / f"{self.restart}.exit").read_text(encoding="utf-8"))
            return Exit(int(found["code"]), str(found["finished"]))
        except (FileNotFoundError, ValueError, KeyError):
            return Exit(137, shim.rfc3339(time.time_ns()), lost=True)

    async def wait(self) -> Exit:
        """Wait for its end, without polling: a pidfd of the shim becomes readable."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        descriptor = -1
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                descriptor = os.pidfd_open(self._shim[0])
        try:
            if descriptor >= 0:
                loop.add_reader(descriptor, ended.set)
                await ended.wait()
        finally:
            if descriptor >= 0:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        if self._child:
            self._child.poll()  # reap
        self.signal(signal.SIGKILL)  # a container whose shim was killed must not stay
        return self.exit()

    def signal(self, number: signal.Signals) -> None:
        """Signal every process of the container."""
        if _alive(self.pid, self._ticks):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
                if number == signal.SIGTERM:
                    os.killpg(self.pid, signal.SIGCONT)  # a stopped process would never see it


async def start(layout: Layout, folder: Path, restart: int, argv: Sequence[str], env: Mapping[str, str]) -> Process:
    """Start a container; StartError where its command cannot be executed."""
    starting = asyncio.create_task(asyncio.to_thread(_start, layout, folder, restart, argv, env))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(StartError):
            (await starting).signal(signal.SIGKILL)  # nobody would know of it
        raise


def _start(layout: Layout, folder: Path, restart: int, argv: Sequence[str], env: Mapping[str, str]) -> Process:
    folder.mkdir(parents=True, exist_ok=True)
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", shim.__file__, str(folder), str(restart)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(layout),
        start_new_session=True,
    )
    assert child.stdin and child.stdout
    spec = {"argv": list(argv), "env": environment(layout, env), "cwd": str(folder)}
    child.stdin.write(json.dumps(spec).encode())
    child.stdin.close()
    answer = json.loads(child.stdout.readline() or b'{"error": "the shim ended"}')
    child.stdout.close()
    if "error" in answer:
        child.wait(START_TIMEOUT)
        raise StartError(answer["error"])
    process = Process(folder, restart, answer)
    process._child = child
    return process


def latest(folder: Path) -> Process | None:
    """The last run of the container kept in ``folder``, None where there was none."""
    runs = [int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit()]
    if not runs:
        return None
    try:
        return Process(folder, max(runs), json.loads((folder / f"{max(runs)}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError):
        return None


def forget_old(folder: Path, newest: int) -> None:
    """Keep the present run and the one before, as a kubelet does."""
    for path in folder.iterdir():
        number = path.name.split(".")[0]
        if number.isdigit() and int(number) < newest - 1:
            path.unlink(missing_ok=True)
