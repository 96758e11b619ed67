# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow a long command: its lines as they come, a deadline without any, and what a person sees meanwhile."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

PLAIN_EVERY = 20.0  # seconds between two lines where there is no terminal
TICK = 1.0  # seconds


def lines_of(child: subprocess.Popen[str], silence: float, tick: Callable[[], None]) -> Iterator[str]:
    """The lines of its output; TimeoutError after ``silence`` seconds without one. ``tick`` is called each second."""
    found: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in child.stdout or ():
            found.put(line.rstrip("\n"))
        found.put(None)

    threading.Thread(target=read, daemon=True).start()
    heard = time.monotonic()
    while True:
        try:
            line = found.get(timeout=TICK)
        except queue.Empty:
            if time.monotonic() - heard > silence:
                raise TimeoutError from None
            tick()
            continue
        if line is None:
            child.wait()
            return
        heard = time.monotonic()
        yield line


def end(child: subprocess.Popen[str]) -> None:
    """End the command and all it started; nothing where it has ended."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


class Line:
    """One moving line on a terminal; elsewhere a plain one every so often.

    :param total: how many packages there are; those in Go's build cache are not compiled again, so it may stay below.
    """

    def __init__(self, what: str, total: int, begin: float, report: Callable[[str], None], terminal: TextIO) -> None:
        self._what, self._total, self._begin, self._report = what, total, begin, report
        self._terminal = terminal if terminal.isatty() else None
        self._count, self._last, self._shown = 0, "", time.monotonic()

    def at(self, count: int, last: str) -> None:
        """``count`` packages are compiled, ``last`` being the newest."""
        self._count, self._last = count, last
        self.tick()

    def tick(self) -> None:
        now = time.monotonic()
        if self._terminal and now - self._shown > 0.1:
            width = os.get_terminal_size(self._terminal.fileno()).columns or 80  # 0: it does not know
            self._terminal.write("\r\x1b[K" + self._text()[: width - 1])
            self._terminal.flush()
            self._shown = now
        elif not self._terminal and now - self._shown > PLAIN_EVERY:
            self._report(self._text())
            self._shown = now

    def _text(self) -> str:
        done = f"{self._count} of at most {self._total} packages" if self._total else f"{self._last[:60]}"
        return f"{self._what}: {done}, {time.monotonic() - self._begin:.0f} s"

    def close(self) -> None:
        if self._terminal:
            self._terminal.write("\r\x1b[K")
            self._terminal.flush()
