# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown pages: their header fields, their sections and steps, and the index of all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from .errors import InfrastructureError

_FIELD = re.compile(r"^\*\*(?P<name>[^*:]+):\*\*\s*(?P<value>.+?)\s*$")
_HEADING = re.compile(r"^(?P<level>#{1,3})\s+(?P<text>\S.*?)\s*$")
_STEP = re.compile(r"^(?P<number>\d+)\.\s+(?P<title>.+)$")
_LINK = re.compile(r"^\[(?P<title>[^\]]+)\]\((?P<target>[^)]+)\)$")


@dataclass(frozen=True)
class PageSection:
    """A ``##`` section.

    :param heading: as it stands, e.g. ``Immediate Actions (< 5 minutes)``.
    :param tag: the section's tag, e.g. ``immediate``: the heading's first word.
    :param steps: the titles of its numbered steps.
    :param text: its Markdown, with the heading.
    """

    heading: str
    tag: str
    steps: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Page:
    """A runbook as people read it."""

    title: str
    fields: dict[str, str]
    sections: tuple[PageSection, ...]
    text: str = field(repr=False)

    def date(self, name: str) -> date | None:
        """A header field as a date; None where it is missing or none."""
        try:
            return date.fromisoformat(self.fields.get(name, ""))
        except ValueError:
            return None


def read_page(path: Path) -> Page:
    """Parse a page.

    :raises InfrastructureError: it cannot be read.
    """
    text = _read(path)
    title, fields, current = "", {}, None
    parts: list[tuple[str, list[str]]] = []
    for row, heading in _rows(text):
        if heading and heading["level"] == "#" and not title:
            title = heading["text"]
        elif heading and heading["level"] == "##":
            current = [row]
            parts.append((heading["text"], current))
        elif current is not None:
            current.append(row)
        elif found := _FIELD.match(row):
            fields[found["name"]] = found["value"]
    return Page(title, fields, tuple(_section(heading, rows) for heading, rows in parts), text)


def _section(heading: str, rows: list[str]) -> PageSection:
    body = "\n".join(rows)
    steps = tuple(
        step["title"]
        for _row, found in _rows(body)
        if found and found["level"] == "###" and (step := _STEP.match(found["text"]))
    )
    return PageSection(heading, heading.split()[0].lower(), steps, body)


def _rows(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Every line, with its heading where it is one; a ``#`` in a fenced block is a comment of the shell."""
    fenced = False
    for row in text.splitlines():
        if row.lstrip().startswith("```"):
            fenced = not fenced
        yield row, None if fenced else _HEADING.match(row)


@dataclass(frozen=True)
class IndexEntry:
    """A line of the index. ``page`` is relative to the index's folder, and empty where it is not written yet."""

    title: str
    category: str
    severity: str
    opens_when: str
    page: str

    @property
    def slug(self) -> str:
        """``Backup and Restore`` is ``backup-restore``; a page's slug is its file name."""
        if self.page:
            return Path(self.page).stem
        words = re.findall(r"[a-z0-9]+", self.title.lower())
        return "-".join(word for word in words if word != "and")


def read_index(path: Path) -> tuple[IndexEntry, ...]:
    """The table of the index whose first column is ``Runbook``.

    :raises InfrastructureError: it cannot be read, or has no such table.
    """
    columns: list[str] = []
    entries: list[IndexEntry] = []
    for row in _read(path).splitlines():
        if not row.startswith("|"):
            if entries:
                break
            continue
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        if cells[0] == "Runbook":
            columns = [cell.lower() for cell in cells]
        elif columns and not set(row) <= set("|-: "):
            entries.append(_entry(dict(zip(columns, cells, strict=False))))
    if not entries:
        raise InfrastructureError("no table of runbooks", where=str(path), remedy="restore it from version control")
    return tuple(entries)


def _entry(cells: dict[str, str]) -> IndexEntry:
    link = _LINK.match(cells["runbook"])
    return IndexEntry(
        title=link["title"] if link else cells["runbook"],
        category=cells.get("category", ""),
        severity=cells.get("severity", ""),
        opens_when=cells.get("open it when", ""),
        page=link["target"] if link else "",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InfrastructureError(
            f"cannot be read ({reason})", where=str(path), remedy="restore it from version control"
        ) from None
