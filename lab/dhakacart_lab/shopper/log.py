# SPDX-License-Identifier: GPL-3.0-or-later
"""The file the shopper writes: append only; the last lines are kept, and of them those that are not too old."""

from __future__ import annotations

import math
import os
import re
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .attempt import Attempt

KEPT_LINES = 200_000
SURPLUS_LINES = 20_000  # trimmed together, so that the file is rewritten about once an hour
FINISHED = re.compile(rb'"finished":([0-9.]+)')


class OrdersLog:
    """Appends attempts, each flushed at once; now and then drops those beyond ``kept`` lines or ``seconds`` of age."""

    def __init__(
        self, path: Path, *, kept: int = KEPT_LINES, surplus: int = SURPLUS_LINES, seconds: float = math.inf
    ) -> None:
        self._path, self._kept, self._surplus, self._seconds = path, kept, surplus, seconds
        self._enough = kept + surplus
        path.parent.mkdir(parents=True, exist_ok=True)
        _end_torn_line(path)
        with path.open("rb") as file:
            self._lines = sum(1 for _ in file)
        self._file = path.open("a", encoding="utf-8")

    def write(self, attempt: Attempt) -> None:
        self._file.write(attempt.line())
        self._file.flush()
        self._lines += 1
        if self._lines >= self._enough:
            self._trim()

    def close(self) -> None:
        self._file.close()

    def _trim(self) -> None:
        """Replace the file by its last lines; a reader sees the old or the new one, never a part."""
        self._file.close()
        part = self._path.with_suffix(".part")
        with self._path.open("rb") as old, part.open("wb") as new:
            last = deque(filter(self._young(time.time()), old), self._kept)
            new.writelines(last)
        part.replace(self._path)
        self._lines = len(last)
        self._enough = self._lines + self._surplus
        self._file = self._path.open("a", encoding="utf-8")

    def _young(self, now: float) -> Callable[[bytes], bool]:
        def young(line: bytes) -> bool:
            found = FINISHED.search(line)
            return found is not None and now - float(found[1]) <= self._seconds

        return young


def _end_torn_line(path: Path) -> None:
    """End the half line that a killed shopper left, so that the next attempt has a line of its own."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
