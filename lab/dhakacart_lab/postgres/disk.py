# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of a database: a small file system of its own where root can mount one, so that it can be full and grow."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

from ..layout import LabError

DEFAULT_SIZE = 512 * 1024 * 1024
MOUNT_TIMEOUT = 10.0


class Disk:
    """A folder that is the root of a node's disk. Sizes are bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        self._reason = folder.with_name(f"{folder.name}.disk")

    @property
    def mounted(self) -> bool:
        return os.path.ismount(self.folder)

    @property
    def can_fill(self) -> bool:
        """Whether it can be made full without filling the disk of the machine."""
        return self.mounted

    @property
    def reason(self) -> str:
        """Why it cannot be filled; empty where it can."""
        if self.can_fill:
            return ""
        try:
            return self._reason.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return f"{self.folder} is a plain folder"

    def mount(self, size: int = DEFAULT_SIZE) -> None:
        """Mount a small file system, if the caller may; else leave a plain folder and keep the reason."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.mounted:
            return
        if os.geteuid() != 0:
            self._reason.write_text("only root can mount a small file system for a database\n", encoding="utf-8")
            return
        failure = _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "dhakacart-lab", str(self.folder))
        if failure:
            self._reason.write_text(f"mounting a small file system failed: {failure}\n", encoding="utf-8")
        else:
            self._reason.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Unmount; what is on it is gone. Nothing happens where nothing is mounted."""
        while self.mounted:
            if failure := _run("umount", str(self.folder)):
                raise LabError(f"{self.folder}: {failure}; remedy: end what uses it, then umount {self.folder}")

    def usage(self) -> tuple[int, int]:
        """(total, free)."""
        found = os.statvfs(self.folder)
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize

    def resize(self, total: int) -> None:
        """Give it a new size; raises LabError where it is a plain folder or holds more than that."""
        self._check_can_fill()
        if failure := _run("mount", "-o", f"remount,size={total}", str(self.folder)):
            raise LabError(f"{self.folder}: cannot be resized to {total} bytes: {failure}")

    def fill(self, leave_free: int = 0) -> None:
        """Fill it with a ballast file until ``leave_free`` bytes are free."""
        self._check_can_fill()
        self.empty()
        with self._ballast.open("wb") as file:
            while (excess := self.usage()[1] - leave_free) >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), excess)
                except OSError as error:
                    if error.errno != errno.ENOSPC:  # else the server took some of it since: look again
                        raise
                file.seek(0, os.SEEK_END)

    def empty(self) -> None:
        """Remove the ballast."""
        self._ballast.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything on it."""
        if self.folder.is_dir():
            for entry in self.folder.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()

    def _check_can_fill(self) -> None:
        if not self.can_fill:
            raise LabError(f"this disk can be neither filled nor resized: {self.reason}; remedy: run the lab as root")


def _run(*argv: str) -> str:
    """Run a program; what it complained about, or an empty string."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=MOUNT_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit code {done.returncode}")
