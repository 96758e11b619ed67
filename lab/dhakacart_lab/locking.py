# SPDX-License-Identifier: GPL-3.0-or-later
"""One command, or the janitor, at a time changes a lab."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .layout import LabError

LOCK_FILE = ".lock"


@contextlib.contextmanager
def exclusive(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Only one command, or the janitor, changes a lab at a time.

    LabError, naming the process that is at work, after ``wait`` seconds.
    """
    end = time.monotonic() + wait
    while (lock := _lock(folder)) is None:
        if time.monotonic() > end:
            raise LabError(
                f"{folder}: another runbook lab command (pid {holder(folder) or 'unknown'}) is at work on this lab; "
                "remedy: wait for it"
            )
        time.sleep(0.05)
    with lock:
        yield


def _lock(folder: Path) -> IO[str] | None:
    """The lab's lock file, locked; None where somebody else has it."""
    path = folder / LOCK_FILE
    try:
        lock = path.open("a+", encoding="utf-8")
    except FileNotFoundError:
        raise LabError(f"no lab is up ({folder} is missing); remedy: runbook lab up") from None
    except OSError as error:
        raise LabError(f"{path}: cannot be written ({error.strerror}); remedy: set DHAKACART_LAB_HOME") from None
    with contextlib.suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:  # else ``down`` removed it in between
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            return lock
    lock.close()
    return None


def holder(folder: Path) -> int | None:
    """The process that holds the lab's lock, or held it last."""
    try:
        return int((folder / LOCK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
