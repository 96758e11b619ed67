# SPDX-License-Identifier: GPL-3.0-or-later
"""The file the shopper writes: append only, the last lines kept."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from .attempt import Attempt

KEPT_LINES = 200_000
SURPLUS_LINES = 20_000  # trimmed together, so that the file is rewritten about once an hour


class OrdersLog:
    """Appends attempts, each flushed at once; drops the oldest beyond ``kept`` lines."""

    def __init__(self, path: Path, *, kept: int = KEPT_LINES, surplus: int = SURPLUS_LINES) -> None:
        self._path, self._kept, self._surplus = path, kept, surplus
        path.parent.mkdir(parents=True, exist_ok=True)
        _end_torn_line(path)
        with path.open("rb") as file:
            self._lines = sum(1 for _ in file)
        self._file = path.open("a", encoding="utf-8")

    def write(self, attempt: Attempt) -> None:
        self._file.write(attempt.line())
        self._file.flush()
        self._lines += 1
        if self._lines >= self._kept + self._surplus:
            self._trim()

    def close(self) -> None:
        self._file.close()

    def _trim(self) -> None:
        """Replace the file by its last lines; a reader sees the old or the new one, never a part."""
        self._file.close()
        part = self._path.with_suffix(".part")
        with self._path.open("rb") as old, part.open("wb") as new:
            new.writelines(deque(old, self._kept))
        part.replace(self._path)
        self._lines = self._kept
        self._file = self._path.open("a", encoding="utf-8")


def _end_torn_line(path: Path) -> None:
    """End the half line that a killed shopper left, so that the next attempt has a line of its own."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
