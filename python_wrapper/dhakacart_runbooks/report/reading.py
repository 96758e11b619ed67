# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of an incident record, read with tolerance: what cannot be read becomes a named gap, never an error."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .text import plural, printable

MOST_BYTES = 64 * 1024 * 1024
MOST_ENTRIES = 20_000
MOST_DEPTH = 40
# A string is redacted in a window that is wider than what is shown of it, so that no secret is cut in two at the seam.
REDACTED_CHARACTERS = 16_384
SHOWN_CHARACTERS = 2_000
MOST_NAMED_LINES = 3
LATEST_TIME = 253_402_300_799.0  # the year 9999: beyond it there is no date

LONGEST_SECONDS = 100 * 365 * 86_400.0

Redact = Callable[[Any], Any]


class Source:
    """The files of one folder.

    :param redact: takes secrets out of plain JSON types.
    :ivar gaps: what could not be read, a line each, in the order in which it was met.
    """

    def __init__(self, folder: Path, redact: Redact) -> None:
        self.folder, self._redact, self.gaps = folder, redact, list[str]()

    def names(self, pattern: str) -> list[str]:
        """Files that match, relative to the folder, in the order of their names."""
        try:
            found = sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(pattern))
        except OSError as error:
            self.gaps.append(f"{pattern} cannot be listed ({error.strerror})")
            return []
        return [name for name in found if not Path(name).name.startswith(".")]

    def document(self, name: str) -> Mapping[str, Any] | None:
        """A file that holds one JSON object; None (and a gap) when it cannot be read."""
        text = self._text(name)
        if text is None:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            self.gaps.append(f"{name} is unreadable: not JSON{where}, or only half written")
            return None
        if not isinstance(found, dict):
            self.gaps.append(f"{name} is unreadable: not a JSON object")
            return None
        return self._clean(found, name)

    def lines(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The JSON objects of a file with one a line; lines that hold none become one gap."""
        text = self._text(name)
        bad: list[int] = []
        for number, line in enumerate((text or "").split("\n"), start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict):
                yield self._clean(found, name)
            else:
                bad.append(number)
        for number in bad[:MOST_NAMED_LINES]:
            self.gaps.append(f"{name} line {number} is unreadable")
        if len(bad) > MOST_NAMED_LINES:
            self.gaps.append(f"{name} has {plural(len(bad) - MOST_NAMED_LINES, 'more unreadable line')}")

    def _text(self, name: str) -> str | None:
        path = self.folder / name
        try:
            if not path.exists():
                self.gaps.append(f"{name} is missing")
                return None
            if not path.is_file():
                self.gaps.append(f"{name} is unreadable: not a file")
                return None
            size = path.stat().st_size
            if size > MOST_BYTES:
                self.gaps.append(f"{name} is not read: {size / 1024**2:,.0f} MiB are more than a record holds")
                return None
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            self.gaps.append(f"{name} is unreadable: {error.strerror}")
            return None

    def _clean(self, found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """What may be shown: printable, redacted as a whole (names tell secrets, too), and only then cut."""
        shown = self._shown(self._redact(self._bounded(found, name, 0)), name)
        return shown if isinstance(shown, dict) else {}

    def _bounded(self, value: Any, name: str, depth: int) -> Any:
        if isinstance(value, str):
            return printable(value[:REDACTED_CHARACTERS])
        if isinstance(value, dict | list) and depth > MOST_DEPTH:
            return f"(nested too deeply to be shown; see {name})"
        if isinstance(value, dict):
            return {printable(str(key)): self._bounded(item, name, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            if len(value) > MOST_ENTRIES:
                self.gaps.append(f"{name} has a list of {len(value):,} entries; the first {MOST_ENTRIES:,} are used")
            return [self._bounded(item, name, depth + 1) for item in value[:MOST_ENTRIES]]
        return value

    def _shown(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: self._shown(item, name) for key, item in value.items()}
        if isinstance(value, list):
            return [self._shown(item, name) for item in value]
        if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
            hidden = len(value) - SHOWN_CHARACTERS
            least = "more than " if len(value) >= REDACTED_CHARACTERS else ""
            return f"{value[:SHOWN_CHARACTERS]}… ({least}{hidden:,} further characters in {name})"
        return value


def text_of(value: Any) -> str:
    """A string; empty for None and for what is no scalar."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def number_of(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def time_of(value: Any) -> float | None:
    """Epoch seconds that a calendar knows, or None."""
    found = number_of(value)
    return found if found is not None and 0 < found < LATEST_TIME else None


def seconds_of(value: Any) -> float | None:
    """A length of time that a person may live to see, or None."""
    found = number_of(value)
    return found if found is not None and 0 <= found <= LONGEST_SECONDS else None


def flag_of(value: Any) -> bool | None:
    """True, False, or None for anything else."""
    return value if isinstance(value, bool) else None


def mapping_of(value: Any) -> Mapping[str, Any]:
    """A mapping; empty for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """A list; empty for anything else."""
    return value if isinstance(value, list) else []


def texts_of(value: Any) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(text for text in map(text_of, list_of(value)) if text)
