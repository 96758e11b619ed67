# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system user that PostgreSQL runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..layout import LabError, Layout
from ..process import environment


@dataclass(frozen=True)
class Account:
    """A user and group; ``switch`` is true where programs must be started as somebody other than the caller."""

    name: str
    uid: int
    gid: int
    switch: bool

    def popen_options(self) -> dict[str, Any]:
        """Keyword arguments of subprocess that start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def own(self, path: Path) -> None:
        """Give one file or folder to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def make_folder(self, path: Path) -> Path:
        """A private folder (0700) of this user, made if missing."""
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
        self.own(path)
        return path

    def write(self, path: Path, text: str) -> None:
        """Write a private file (0600) of this user, whole or not at all."""
        draft = path.with_name(f".{path.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        self.own(draft)
        draft.replace(path)

    def copy_tree(self, source: Path, target: Path) -> None:
        """Copy a folder; the copy belongs to this user."""
        # A live pg_wal loses files while it is copied; what PostgreSQL needs is copied separately.
        shutil.copytree(source, target, symlinks=True)
        for folder, _, files in os.walk(target):
            self.own(Path(folder))
            for file in files:
                self.own(Path(folder, file))

    def run(
        self,
        layout: Layout,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        extra_env: Mapping[str, str] | None = None,
    ) -> str:
        """Run a program to its end as this user and return its output.

        Raises LabError with the last line of what it said when it fails or is not done after ``timeout`` seconds.
        """
        program = Path(argv[0]).name
        try:
            done: subprocess.CompletedProcess[str] = subprocess.run(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout,
                # safe: HOME of the caller is closed to the other user, and libpq looks into it.
                env=environment(layout, {"HOME": str(layout.folder / "postgres"), **(extra_env or {})}),
                cwd=layout.folder,
                **self.popen_options(),
            )
        except subprocess.TimeoutExpired:
            raise LabError(
                f"{program}: not done after {timeout:.0f} s; remedy: runbook lab down, runbook lab up"
            ) from None
        except OSError as error:
            raise LabError(
                f"{program} cannot be started as {self.name}: {error}; remedy: runbook lab doctor"
            ) from error
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            raise LabError(f"{program} failed with exit code {done.returncode}: {said}")
        return done.stdout


def find_account() -> Account:
    """Root starts PostgreSQL as ``postgres`` (else ``nobody``); everybody else as himself."""
    if os.geteuid() != 0:
        try:
            me = pwd.getpwuid(os.geteuid())
        except KeyError:
            raise LabError(
                f"user id {os.geteuid()} has no name, and PostgreSQL wants one; remedy: add the user to /etc/passwd"
            ) from None
        return Account(me.pw_name, me.pw_uid, me.pw_gid, switch=False)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid, switch=True)
    raise LabError(
        "PostgreSQL will not run as root, and there is no user postgres or nobody; remedy: useradd -r postgres"
    )


def check_reach(layout: Layout, account: Account) -> None:
    """Raise LabError where the user of PostgreSQL cannot enter the lab folder."""
    if not account.switch:
        return
    for folder in [*reversed(layout.folder.parents), layout.folder]:
        if folder.exists() and not folder.stat().st_mode & 0o001:
            raise LabError(
                f"{folder}: user {account.name}, who runs PostgreSQL, cannot enter it; "
                f"remedy: chmod o+x {folder}, or set DHAKACART_LAB_HOME to a folder open to all"
            )
