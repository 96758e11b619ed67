# SPDX-License-Identifier: GPL-3.0-or-later
"""The private folder of a run: made for it, held while it lasts, removed with it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InfrastructureError
from . import guard

PREFIX = "dhakacart-run-"
# Between making a folder and holding it.
YOUNG_SECONDS = 5.0
# What a pipe takes at once where there is no reader yet.
MOST_BYTES = 60_000


class PrivateFolder:
    """``<home>/dhakacart-run-<run id>``, mode 0700. A lock on it tells that its process lives."""

    def __init__(self, home: Path, run_id: str) -> None:
        self.path = home / f"{PREFIX}{run_id}"
        self._held: list[int] = []

    def make(self) -> None:
        """Make it; InfrastructureError where that cannot be done."""
        with self._one_line():
            self.path.mkdir(mode=0o700)
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            self._held.append(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in ("env", "tmp"):
                (self.path / name).mkdir(mode=0o700)

    def write(self, name: str, content: Mapping[str, Any] | None) -> Path:
        """A JSON file in it that nobody else can read; an empty one for None."""
        path = self.path / name
        with self._one_line():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write("" if content is None else json.dumps(content))
        return path

    def offer(self, name: str, environment: Mapping[str, str], tokens: Mapping[str, str]) -> Path:
        """Variables, to be read once, and never on a disk: they wait in the kernel's buffer of a FIFO.

        :param tokens: secret -> what is to be written in its place.
        """
        row = json.dumps({"environment": dict(environment), "tokens": dict(tokens)}).encode() + b"\n"
        if len(row) > MOST_BYTES:
            raise InfrastructureError(
                f"{len(row)} bytes of environment variables are more than can be handed over",
                where="environment",
                remedy=f"unset the largest of them: {max(environment, key=lambda key: len(environment[key]))}",
            )
        path = self.path / name
        with self._one_line():
            os.mkfifo(path, 0o600)
            descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            self._held.append(descriptor)
            os.write(descriptor, row)
        return path

    def remove(self) -> None:
        """Remove it, whatever is in it."""
        guard.remove(str(self.path))
        while self._held:
            os.close(self._held.pop())

    @contextlib.contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise InfrastructureError(
                f"cannot be written ({error.strerror})",
                where=str(self.path),
                remedy="free some space there" if full else "let this user write there, or set TMPDIR",
            ) from None


def sweep(home: Path) -> None:
    """Clear away what runs left whose process is gone and whose guard was killed as well."""
    with contextlib.suppress(OSError):
        for path in home.glob(f"{PREFIX}*"):
            _sweep_one(path)


def _sweep_one(path: Path) -> None:
    with contextlib.suppress(OSError):  # somebody else removes it, or holds it
        found = path.lstat()
        mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if not mine or time.time() - found.st_ctime < YOUNG_SECONDS:
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            guard.reap(path.name.removeprefix(PREFIX))
            guard.remove(str(path))
        finally:
            os.close(descriptor)
