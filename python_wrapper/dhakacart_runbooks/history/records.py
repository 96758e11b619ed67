# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident records of runs that are removed: which of them may go with the run."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .rows import RunRow

# At least one of these is in every record; nothing else is ever deleted.
_MARKS = ("opening.json", "timeline.jsonl")


@dataclass
class Removal:
    """What became of the records of removed runs. ``kept`` says why, by folder."""

    removed: list[Path] = field(default_factory=list)
    kept: dict[Path, str] = field(default_factory=dict)
    failed: dict[Path, str] = field(default_factory=dict)


def remove_records(runs: Iterable[RunRow], *, in_use: Collection[str], host: str) -> Removal:
    """Delete the records of these runs.

    One that a run still in the history belongs to, that is on another machine, or that does not look like a record,
    is kept.
    """
    done = Removal()
    for record, owner in {run.record: run.host for run in runs if run.record}.items():
        folder = Path(record)
        if record in in_use:
            done.kept[folder] = "a run that is kept belongs to it"
        elif owner != host:
            done.kept[folder] = f"it is on {owner}"
        elif folder.is_symlink() or not _is_record(folder, runs):
            if folder.exists():
                done.kept[folder] = "it does not look like an incident record"
        else:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                done.failed[folder] = error.strerror or str(error)
            else:
                done.removed.append(folder)
    return done


def _is_record(folder: Path, runs: Iterable[RunRow]) -> bool:
    if not folder.is_absolute() or not folder.is_dir():
        return False
    own = (folder / "runs" / f"{run.id}.json" for run in runs if run.record == str(folder))
    return any((folder / mark).is_file() for mark in _MARKS) or any(file.is_file() for file in own)
