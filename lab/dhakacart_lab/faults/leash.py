# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the leash on: the janitor, who heals expired faults, and the watchdog keep each other alive.

Killing or freezing one of them frees no fault. Killing both at once does, until ``runbook lab up``, which heals what
has expired; ``runbook lab status`` shows both.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

import psutil

from .. import process
from ..layout import Layout

JANITOR, WATCHDOG = "janitor", "watchdog"
MODULES = {JANITOR: "dhakacart_lab.faults.janitor", WATCHDOG: "dhakacart_lab.faults.watchdog"}
INTERVAL = 1.0  # seconds between two looks
CLOSING = ".closing"


def let_go(folder: Path) -> None:
    """From here on nobody revives anybody: the lab in ``folder`` is being ended."""
    with contextlib.suppress(OSError):  # a folder that is gone has nobody to revive
        (folder / CLOSING).touch()


def hold(folder: Path) -> None:
    """Undo :func:`let_go`."""
    (folder / CLOSING).unlink(missing_ok=True)


def keep_alive(layout: Layout, component: str) -> None:
    """Start the component where it does not run, wake it where it is stopped."""
    if (layout.folder / CLOSING).exists() or not layout.lab_file.exists():
        return
    running = process.find(layout, component)
    if running is None:
        process.start_python(layout, component, MODULES[component])
        print(f"{component} did not run: started again", flush=True)
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        if running.status() == psutil.STATUS_STOPPED:
            running.resume()
            print(f"{component} was stopped: woken", flush=True)


def only_one(layout: Layout, component: str) -> IO[str] | None:
    """A lock for as long as it is held; None where another process is this component already."""
    layout.run.mkdir(parents=True, exist_ok=True)
    lock = (layout.run / f"{component}.lock").open("a", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def sign(layout: Layout, component: str) -> None:
    """Have the pid file name this process: of two that were started at once it may name the one that gave way."""
    running = process.find(layout, component)
    if running is None or running.pid != os.getpid():
        process.note(layout, component, psutil.Process())
