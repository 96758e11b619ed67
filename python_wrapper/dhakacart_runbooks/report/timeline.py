# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of ``timeline.jsonl`` as typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .model import Approval, Moment, Section, Step, Verification
from .reading import Source, flag_of, seconds_of, text_of, texts_of, time_of
from .text import plural

# "opened", "run" and "closed" are told by other parts of the record.
_KNOWN = frozenset({"section", "step", "approved", "verification"})
_NOT_SAID = frozenset({"time", "event", "run_id", "incident", "runbook", "environment"})
_WORDS = {"resolved": "the change worked", "opened": "the record", "closed": "the record"}


@dataclass
class Timeline:
    """What a timeline holds, in the order of time.

    :param about: the line that opened it: runbook, environment, and whether it is an incident or the record of a run.
    """

    sections: list[Section] = field(default_factory=list)
    steps: tuple[Step, ...] = ()
    approvals: tuple[Approval, ...] = ()
    verifications: tuple[Verification, ...] = ()
    moments: tuple[Moment, ...] = ()
    opened: float | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    closed: float | None = None
    readable: bool = True


def read_timeline(source: Source, name: str) -> Timeline:
    """What can be read of a timeline; the rest is a gap of the source."""
    gaps = len(source.gaps)
    rows = list(source.lines(name))
    undated = sum(1 for row in rows if time_of(row.get("time")) is None)
    if undated:
        source.gaps.append(f"{name} has {plural(undated, 'line')} without a time; they stand at the end")
    rows.sort(key=_when)
    return Timeline(
        sections=[section_of(row, name) for row in rows if row.get("event") == "section"],
        steps=_steps(rows),
        approvals=tuple(_approval(row) for row in rows if row.get("event") == "approved"),
        verifications=tuple(_verification(row) for row in rows if row.get("event") == "verification"),
        moments=tuple(_moment(row) for row in rows if text_of(row.get("event")) not in _KNOWN),
        opened=_time(rows, "opened"),
        about=next((row for row in rows if row.get("event") == "opened"), {}),
        closed=_time(rows, "closed"),
        readable=bool(rows) or len(source.gaps) == gaps,
    )


def section_of(row: Mapping[str, Any], source: str) -> Section:
    """A section as its line in the timeline tells it: without findings."""
    elapsed, ended = seconds_of(row.get("elapsed_seconds")), time_of(row.get("time"))
    return Section(
        section=text_of(row.get("section")),
        source=source,
        run_id=text_of(row.get("run_id")),
        started=ended - elapsed if ended is not None and elapsed is not None else None,
        ended=ended,
        elapsed=elapsed,
        budget=seconds_of(row.get("budget_seconds")),
        status=text_of(row.get("status")),
        next=text_of(row.get("next")),
        recovered=flag_of(row.get("recovered")),
    )


def _when(row: Mapping[str, Any]) -> float:
    found = time_of(row.get("time"))
    return float("inf") if found is None else found


def _time(rows: list[Mapping[str, Any]], event: str) -> float | None:
    """The first for "opened", the last for "closed": an incident is opened once and may be closed again."""
    found = [time for row in rows if row.get("event") == event and (time := time_of(row.get("time"))) is not None]
    return (found[-1] if event == "closed" else found[0]) if found else None


def _steps(rows: list[Mapping[str, Any]]) -> tuple[Step, ...]:
    """An approval covers the changes that follow it until the section closes."""
    found: list[Step] = []
    approval: Approval | None = None
    for row in rows:
        event = row.get("event")
        if event == "approved":
            approval = _approval(row)
        elif event == "section":
            approval = None
        elif event == "step":
            found.append(replace(_step(row), approval=approval))
    return tuple(found)


def _step(row: Mapping[str, Any]) -> Step:
    return Step(
        time=time_of(row.get("time")),
        section=text_of(row.get("section")),
        title=text_of(row.get("title")),
        outcome=text_of(row.get("outcome")),
        undo=text_of(row.get("undo")),
        message=text_of(row.get("message")),
    )


def _approval(row: Mapping[str, Any]) -> Approval:
    return Approval(
        time=time_of(row.get("time")),
        action=text_of(row.get("action")),
        undo=text_of(row.get("undo")),
        how=text_of(row.get("how")),
        reason=text_of(row.get("reason")),
        by=text_of(row.get("by")),
    )


def _verification(row: Mapping[str, Any]) -> Verification:
    return Verification(
        time=time_of(row.get("time")),
        recovered=flag_of(row.get("recovered")),
        reasons=texts_of(row.get("reasons")),
        risks=texts_of(row.get("risks")),
    )


def _moment(row: Mapping[str, Any]) -> Moment:
    said = {key: value for key, value in row.items() if key not in _NOT_SAID}
    if len(said) == 1 and isinstance(only := next(iter(said.values())), str):
        words = only
    else:
        words = ", ".join(f"{key} {_word(value)}" for key, value in said.items())
    if known := _WORDS.get(text_of(row.get("event"))):
        by = text_of(row.get("by"))
        words = f"{known}, by {by}" if by else known
    return Moment(time=time_of(row.get("time")), event=text_of(row.get("event")) or "note", words=words)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return text_of(value) or str(value)
