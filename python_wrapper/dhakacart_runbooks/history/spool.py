# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that the database does not know yet, one small file each.

A run is written here before anything else, which takes no database: killed a moment later, it is found all the same.
It also keeps the end of a run whose database did not answer. Whoever opens the history next enters what is left.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from .rows import RunRow, SectionRow, run_from


class Spool:
    """A private folder of waiting runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, run: RunRow, sections: Sequence[SectionRow] = ()) -> None:
        """Keep a run, whole or not at all; what was kept of it before is replaced. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(run.id)
        draft = path.with_suffix(f".{os.getpid()}.new")
        content = {"run": asdict(run), "sections": [asdict(one) for one in sections]}
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file)
        draft.replace(path)

    def drop(self, run_id: str) -> None:
        """The database has it."""
        with suppress(OSError):
            self._path(run_id).unlink()

    def waiting(self) -> Iterator[tuple[RunRow, list[SectionRow]]]:
        """Every waiting run; a file that is no run is left alone."""
        with suppress(OSError):
            for path in sorted(self.folder.glob("*.json")):
                with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
                    content = json.loads(path.read_text(encoding="utf-8"))
                    yield run_from(content["run"]), [SectionRow(**one) for one in content["sections"]]

    def _path(self, run_id: str) -> Path:
        return self.folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', run_id)}.json"
