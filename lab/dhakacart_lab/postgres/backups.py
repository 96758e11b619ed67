# SPDX-License-Identifier: GPL-3.0-or-later
"""Base backups and the WAL archive: what point-in-time recovery starts from and replays."""

from __future__ import annotations

import contextlib
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..layout import LabError, Layout
from .account import Account

STAMP = "%Y%m%dT%H%M%S.%fZ"
WAL_FILE = re.compile(r"[0-9A-F]{24}|[0-9A-F]{8}\.history")
# A file of WAL is named by its timeline and its position, and position alone says what is older.
WAL_SEGMENT = re.compile(r"[0-9A-F]{8}(?P<position>[0-9A-F]{16})\b")
START_WAL = re.compile(r"^START WAL LOCATION: .* \(file [0-9A-F]{8}(?P<position>[0-9A-F]{16})\)$", re.MULTILINE)
KEEP = 8
NO_ARCHIVE = "true"  # an archive_command for a server whose WAL is not the cluster's history


@dataclass(frozen=True)
class BaseBackup:
    """A copy of a data folder; any moment from ``ended`` on can be recovered from it."""

    folder: Path
    ended: datetime


class Backups:
    """The backups of one lab. Folders belong to the user who runs PostgreSQL."""

    def __init__(self, layout: Layout, account: Account) -> None:
        home = layout.folder / "postgres"
        self._account = account
        self._folder = home / "backups"
        self._archive = home / "archive"
        self._salvage = home / "salvage"

    def prepare(self) -> None:
        """Make the folders; what is in them stays."""
        for folder in (self._folder, self._archive):
            self._account.make_folder(folder)

    def clear(self) -> None:
        """Forget every backup and all archived WAL: another history begins."""
        for folder in (self._folder, self._archive, self._salvage):
            shutil.rmtree(folder, ignore_errors=True)
        self.prepare()

    @property
    def archive_command(self) -> str:
        """For postgresql.conf: compresses a WAL file into the archive, whole or not at all."""
        target = _shell(self._archive)
        return f"gzip -1 < {_shell('%p')} > {target}/%f.part && mv -f {target}/%f.part {target}/%f.gz"

    @property
    def restore_command(self) -> str:
        """For postgresql.conf: takes a WAL file from the archive, else from what ``salvage`` saved."""
        # safe: the redirection fails before gzip starts, and then %p is not made.
        from_archive = f"gzip -dc < {_shell(self._archive)}/%f.gz > {_shell('%p')}"
        return f"{{ {from_archive} || cp {_shell(self._salvage)}/%f {_shell('%p')}; }} 2>/dev/null"

    def add(self, data: Path, *, move: bool = False) -> BaseBackup:
        """Keep a data folder that pg_basebackup made and nobody started; drop the oldest beyond eight.

        It is copied, or moved where it is on the disk of the backups and nobody else wants it.
        """
        ended = datetime.now(UTC)
        folder = self._folder / ended.strftime(STAMP)
        draft = self._folder / ".new"
        shutil.rmtree(draft, ignore_errors=True)
        if move:
            data.rename(draft)
        else:
            self._account.copy_tree(data, draft)
        draft.rename(folder)
        for old in self.all()[:-KEEP]:
            shutil.rmtree(old.folder)
        self._prune_archive()
        return BaseBackup(folder, ended)

    def prune(self, needed_from: datetime) -> None:
        """Drop what no recovery to ``needed_from`` or later starts from or replays."""
        for old in [backup for backup in self.all() if backup.ended <= needed_from][:-1]:
            shutil.rmtree(old.folder)
        if self.all():
            self._prune_archive()

    def _prune_archive(self) -> None:
        """Drop the archived WAL that is older than what the oldest backup begins with; histories stay."""
        label = self.all()[0].folder / "backup_label"
        found = START_WAL.search(label.read_text(encoding="utf-8")) if label.exists() else None
        if found is None:
            return
        for file in self._archive.glob("*.gz"):
            segment = WAL_SEGMENT.match(file.name)
            if segment and segment["position"] < found["position"]:
                file.unlink(missing_ok=True)

    def all(self) -> list[BaseBackup]:
        """Every base backup, oldest first."""
        found = []
        for folder in self._folder.glob("*Z"):
            with contextlib.suppress(ValueError):
                found.append(BaseBackup(folder, datetime.strptime(folder.name, STAMP).replace(tzinfo=UTC)))
        return sorted(found, key=lambda backup: backup.ended)

    def for_moment(self, moment: datetime | None) -> BaseBackup:
        """The newest base backup from which ``moment`` (None: the latest) can be reached; raises LabError if none."""
        backups = self.all()
        if not backups:
            raise LabError(f"{self._folder}: no base backup; remedy: runbook lab up")
        fitting = [backup for backup in backups if moment is None or backup.ended <= moment]
        if not fitting:
            raise LabError(
                f"cannot restore to {moment}: the earliest restorable time is {backups[0].ended.isoformat()}; "
                "remedy: a later time"
            )
        return fitting[-1]

    def salvage(self, data: Path) -> int:
        """Save the WAL that a data folder still has, and that was perhaps never archived; how many files."""
        self.drop_salvage()
        self._account.make_folder(self._salvage)
        count = 0
        for file in (data / "pg_wal").iterdir() if (data / "pg_wal").is_dir() else ():
            if WAL_FILE.fullmatch(file.name):
                with contextlib.suppress(FileNotFoundError):  # a living server recycles them
                    target = self._salvage / file.name
                    shutil.copyfile(file, target)
                    self._account.own(target)
                    count += 1
        return count

    def drop_salvage(self) -> None:
        """Remove what ``salvage`` saved."""
        shutil.rmtree(self._salvage, ignore_errors=True)


def _shell(path: object) -> str:
    """A path for a command line in postgresql.conf; %p and %f in it stay to be replaced."""
    return '"' + re.sub(r'(["\\$`])', r"\\\1", str(path)) + '"'
