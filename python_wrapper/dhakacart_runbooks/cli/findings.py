# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings and causes as people read them: what is wrong first, evidence beside each claim, what is well in a line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from ..finding import Finding, Status
from .console import STYLES

# Settings that are as they were yesterday: `prevention` shows them, an incident does not need them.
CONTROLS = frozenset({"postgresql.settings"})
LABEL, MOST_WHO, LEAST_TEXT, MOST_SUMMARY = 9, 18, 30, 240
NEVER = 100_000


def width(console: Console) -> int:
    """Columns to wrap at; a pipe gets whole lines."""
    return console.width if console.is_terminal else NEVER


def row(console: Console, label: str, style: str, who: str, text: str, who_width: int) -> None:
    """One row; a long text goes on under its own beginning."""
    head = f"  {label:<{LABEL}} {who:<{who_width}}  " if who_width else f"  {label:<{LABEL}} "
    lines = textwrap.wrap(text, max(LEAST_TEXT, width(console) - len(head)), break_long_words=False) or [""]
    shown = Text().append(head[: LABEL + 2], style=style).append(head[LABEL + 2 :] + lines[0])
    for line in lines[1:]:
        shown.append("\n" + " " * len(head) + line)
    console.print(shown, soft_wrap=True)


def wrapped(console: Console, text: str) -> str:
    """A line that goes on under its own beginning."""
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.fill(text, max(LEAST_TEXT, width(console)), subsequent_indent=indent, break_long_words=False)


def show_findings(
    console: Console, findings: Iterable[Finding], was: Mapping[str, Status] | None = None, *, every: bool = False
) -> None:
    """What is wrong, the worst first and what says the same together; then what is well, in one line.

    Where something is critical, warnings share a line: most follow from it, and what a cause rests on is named there.

    :param was: the statuses that were shown before: what is ok now is well again.
    :param every: a row for each finding that is not ok.
    """
    listed = [finding for finding in findings if finding.id not in CONTROLS]
    short = not every and any(finding.status is Status.CRITICAL for finding in listed)
    later = (Status.WARNING, Status.OK) if short else (Status.OK,)
    rows = _rows([finding for finding in listed if finding.status not in later], every=every)
    column = min(MOST_WHO, max((len(who) for _status, who, _summary in rows), default=0))
    for status, who, summary in rows:
        row(console, str(status), STYLES[status], who, summary, column)
    said = {finding.component for finding in listed if finding.status not in later}
    for status in later:
        names = [f.component for f in listed if f.status is status and f.component not in said]
        said.update(names)
        label = "ok again" if was and status is Status.OK else str(status)
        if names:
            row(console, label, STYLES[status], "", _in_a_line(console, names, every=every), 0)


def _rows(listed: Sequence[Finding], *, every: bool) -> list[tuple[Status, str, str]]:
    """Status, components and summary; the worst first."""
    grouped: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in sorted(listed, key=lambda f: -f.status.severity):
        grouped.setdefault((finding.status, finding.id if every else _sameness(finding)), []).append(finding)
    rows = []
    for (status, _same), alike in grouped.items():
        components = [finding.component for finding in alike]
        more = len(alike) - 1 if len(set(components)) == 1 else 0
        summary = alike[0].summary[:MOST_SUMMARY] + (f" (and {more} alike)" if more else "")
        rows.append((status, together(components), summary))
    return rows


def _sameness(finding: Finding) -> tuple[str, ...]:
    """What says the same: the same words, or the same kind of answer from the same part over HTTP."""
    if code := finding.evidence.get("http_status"):
        return (finding.component, str(code), str(finding.evidence.get("kind")))
    return (finding.summary,)


def _in_a_line(console: Console, components: Sequence[str], *, every: bool) -> str:
    """As many names as the terminal's line takes, and how many more; all of them in a pipe."""
    names = list(dict.fromkeys(components))
    room = NEVER if every else max(LEAST_TEXT, width(console) - LABEL - 3)
    for shown in range(len(names), 1, -1):
        text = together(names, most=shown)
        if len(text) <= room:
            return text
    return together(names)


def together(components: Sequence[str], most: int = 1) -> str:
    """``primary``, ``primary +2``: the first ones, and how many more."""
    names = list(dict.fromkeys(components))
    return ", ".join(names[:most]) + (f" +{len(names) - most}" if len(names) > most else "")


def show_cause(console: Console, diagnosis: Mapping[str, Any], findings: Iterable[Finding] = ()) -> None:
    """The likely cause with what it rests on, other causes, and those that could not be ruled out.

    :param findings: what it was judged by; what one of them suggests by itself, e.g. who holds the connections, stands
        beside it.
    """
    suggested = {f"{finding.id}: {finding.summary}": finding.likely_cause for finding in findings}
    likely = diagnosis.get("likely")
    if not likely:
        console.print(Text("Likely cause: none that the evidence confirms"), soft_wrap=True)
    else:
        head = Text().append("Likely cause: ", style=STYLES["critical"])
        head.append(f"{likely.get('title')} ({likely.get('id')})", style="bold")
        console.print(head, soft_wrap=True)
        for evidence in likely.get("rests_on") or ():
            more = suggested.get(str(evidence), "")
            row(console, "because", "", "", f"{evidence}; {more}" if more else str(evidence), 0)
    for other in diagnosis.get("also") or ():
        row(console, "also", STYLES["warning"], "", f"{other.get('title')} ({other.get('id')})", 0)
    for entry in diagnosis.get("possible") or ():
        reason = f"{entry.get('title')}: {', '.join(entry.get('unread') or ())} could not be read"
        row(console, "possible", STYLES["unknown"], "", reason, 0)


def tally(findings: Iterable[Finding]) -> str:
    """``9 critical, 2 unknown``: what is not ok, counted; what is rightly without an answer is left out."""
    statuses = [finding.status for finding in findings if finding.configured and finding.sampled]
    order = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING)
    return ", ".join(f"{statuses.count(status)} {status}" for status in order if status in statuses)
