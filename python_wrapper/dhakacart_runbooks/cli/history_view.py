# SPDX-License-Identifier: GPL-3.0-or-later
"""The history as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..errors import InfrastructureError
from ..history.periods import show_moment, show_period
from ..history.retention import DUE_AFTER, Pruning
from ..history.rows import LOST, RUNNING, RunRow, SectionRow
from ..report.reading import list_of, mapping_of, seconds_of, text_of, time_of
from .console import STYLES
from .following import translated

ENDS = {"healthy": "green", "unhealthy": "yellow", "failed": "bold red", "broken": "bold red", LOST: "bold red"}
ENDS |= {"refused": "cyan", "cancelled": "magenta", "timeout": "magenta", RUNNING: "bold cyan"}
LEAST_SECTIONS = 15
UNLIMITED = 10_000
SHORTEST_ID = 8


def show_runs(console: Console, runs: Sequence[RunRow], *, more: bool = False, removed: Sequence[Pruning] = ()) -> None:
    """A table, the newest first. In a narrow terminal a run takes two lines."""
    id_length = _shortest([run.id for run in runs])
    if _least_width(console, runs, id_length) <= console.width:
        console.print(_table(runs, id_length), soft_wrap=False)
    else:
        _show_narrow(console, runs, id_length)
    if more:
        console.print(f"The newest {len(runs)}; --limit shows more.", style="dim")
    for pruning in removed:
        if pruning.at > max(run.started for run in runs) - DUE_AFTER:
            console.print(f"{show_moment(pruning.at)}: {pruning}.", style="dim")


def show_details(console: Console, run: RunRow, sections: Sequence[SectionRow]) -> None:
    """Everything that is known of one run; what is empty is left out."""
    head = Text(f"{run.runbook} / {_sections(run)}{_mode(run)}", style="bold")
    console.print(head.append("  ").append(run.status, style=ENDS.get(run.status, "")), soft_wrap=True)
    for label, value in _facts(run):
        if value:
            console.print(Text(f"  {label:<14}{value}"), soft_wrap=True)
    for number, section in enumerate(sections):
        over = section.elapsed > section.budget
        line = Text(f"  {'sections' if not number else '':<14}{section.section:<15}{show_period(section.elapsed):>9}")
        line.append(f" of {show_period(section.budget)}")
        line.append("  OVER its budget" if over else "", style="yellow")
        line.append(f"  {section.likely_cause}" if section.likely_cause else "")
        console.print(line, soft_wrap=True)
    counted = {status: number for status, number in run.findings.items() if number}
    if counted:
        line = Text(f"  {'findings':<14}")
        for number, (status, count) in enumerate(counted.items()):
            line.append(", " if number else "").append(f"{count} {status}", style=STYLES[status])
        console.print(line, soft_wrap=True)
    for label, value in (("likely cause", run.likely_cause), ("next", _next(run)), ("record", run.record)):
        if value:
            console.print(Text(f"  {label:<14}{value}"), soft_wrap=True)


def show_events(console: Console, run: RunRow, events: Iterable[Mapping[str, Any]]) -> None:
    """What happened, with the time since the start of the run."""
    for event in events:
        told = tell(event)
        if told:
            since = max(0.0, (time_of(event.get("time")) or run.started) - run.started)
            minutes, seconds = divmod(since, 60)
            console.print(Text(f"  +{int(minutes)}:{seconds:04.1f}  {told}"), soft_wrap=True)


def stored_events(run: RunRow) -> list[dict[str, Any]]:
    """The events of a run from its incident record; the last line of a killed run may be half, and is left out."""
    if not run.record:
        raise InfrastructureError(
            "its events were not kept: no incident record was written",
            where=f"run {run.id}",
            remedy=f"runbook show-run {run.id}",
        )
    path = Path(run.record) / "runs" / f"{run.id}.events.jsonl"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InfrastructureError(
            f"the events cannot be read: {error.strerror}", where=str(path), remedy=f"they were written on {run.host}"
        ) from error
    events: list[dict[str, Any]] = []
    for line in lines:
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                events.append(event)
    return events


def tell(event: Mapping[str, Any]) -> str:
    """One line for one stored event; empty for what says nothing to people."""
    kind = event.get("event")
    match kind:
        case "run_started":
            return f"started on inventory {event.get('inventory')}"
        case "environment_known":
            return f"environment {event.get('environment')} ({event.get('name')})"
        case "section_started":
            return f"section {event['section']}" if event.get("section") else ""
        case "step_finished":
            return _tell_step(event)
        case "findings_read":
            return _tell_findings(event)
        case "diagnosed":
            likely = mapping_of(mapping_of(event.get("diagnosis")).get("likely"))
            return f"likely cause: {likely.get('id') or 'none that the evidence confirms'}"
        case "said":
            return str(event.get("text") or "")
        case "section_finished":
            took, budget = (seconds_of(event.get(key)) or 0.0 for key in ("elapsed_seconds", "budget_seconds"))
            return f"section {event.get('section')} done: {show_period(took)} of {show_period(budget)}"
        case "run_finished":
            return f"ended: {text_of(mapping_of(event.get('outcome')).get('status')) or 'not known'}"
    return ""


def _tell_step(event: Mapping[str, Any]) -> str:
    number = event.get("number")
    title = f"{number} {event.get('title')}" if number else f"  {event.get('title')}"
    more = "".join(f"; {label}{event[key]}" for key, label in (("message", ""), ("undo", "undo: ")) if event.get(key))
    return f"{title}: {event.get('outcome')}{more}"


def _tell_findings(event: Mapping[str, Any]) -> str:
    read = [one for one in list_of(event.get("findings")) if isinstance(one, dict)]
    wrong = [one for one in read if one.get("status") in ("critical", "unknown", "warning")]
    worst = "; ".join(f"{one.get('status')} {one.get('component')}: {one.get('summary')}" for one in wrong[:3])
    rest = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return f"{len(read)} findings, {len(wrong)} not ok{': ' if wrong else ''}{worst}{rest}"


def _least_width(console: Console, runs: Sequence[RunRow], id_length: int) -> int:
    narrowest = _table(runs, id_length, sections_width=LEAST_SECTIONS)
    return Measurement.get(console, console.options.update(width=UNLIMITED), narrowest).maximum


def _table(runs: Sequence[RunRow], id_length: int, sections_width: int | None = None) -> Table:
    """Only the sections may take several lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("WHEN", "RUN", "WHO", "RUNBOOK"):
        table.add_column(head, no_wrap=True)
    table.add_column("SECTIONS", min_width=LEAST_SECTIONS, max_width=sections_width)
    for head in ("WHERE", "ENDED"):
        table.add_column(head, no_wrap=True)
    table.add_column("TOOK", justify="right", no_wrap=True)
    table.add_column("LIKELY CAUSE", no_wrap=True)
    for run in runs:
        asked, ended = f"{_sections(run)}{_mode(run)}", Text(run.status, style=ENDS.get(run.status, ""))
        where, cause = run.environment or "-", run.likely_cause or "-"
        cells = (show_moment(run.started), run.id[:id_length], run.user, run.runbook, asked, where)
        table.add_row(*map(Text, cells), ended, _took(run), Text(cause))
    return table


def _show_narrow(console: Console, runs: Sequence[RunRow], id_length: int) -> None:
    ended = max(len(run.status) for run in runs)
    took = max(len(_took(run)) for run in runs)
    head = f"{'WHEN':<16}  {'RUN':<{id_length}}  {'ENDED':<{ended}}  {'TOOK':>{took}}  WHAT"
    console.print(Text(head, style="bold"), soft_wrap=True)
    for run in runs:
        line = Text(f"{show_moment(run.started)}  {run.id[:id_length]}  ")
        line.append(f"{run.status:<{ended}}", style=ENDS.get(run.status, ""))
        console.print(line.append(f"  {_took(run):>{took}}  {run.runbook}"), soft_wrap=True)
        asked = f"{_sections(run)}{_mode(run)}"
        about = " · ".join(part for part in (asked, run.environment, run.user, run.likely_cause) if part)
        console.print(Padding(Text(about, style="dim"), (0, 0, 0, 18)), soft_wrap=False)


def _facts(run: RunRow) -> list[tuple[str, str]]:
    how = ", ".join(f"{name} {value}" for name, value in (("target", run.target), ("branch", run.branch)) if value)
    inventory = f"inventory {run.inventory}{', ' if how else ''}{how}"
    code = "" if run.exit_code is None else f" (exit code {run.exit_code}, ansible-playbook {_rc(run)})"
    lost = "its process is gone; seen last " + show_moment(run.heartbeat, seconds=True) if run.status == LOST else ""
    return [
        ("run", run.id),
        ("environment", f"{run.environment} ({inventory})" if run.environment else inventory),
        ("started", f"{show_moment(run.started, seconds=True)} by {run.user} on {run.host}, process {run.pid}"),
        ("took", _took(run) if run.finished is not None else f"{_took(run)} until now"),
        ("approved", "" if run.approve_reason is None else f'"{run.approve_reason}"'),
        ("ended", f"{run.status}{code}" if run.finished is not None else ""),
        ("lost", lost),
        ("why", run.message),
        ("ended in", run.interrupted_step),
        ("changed", "yes" if run.changed else ""),
        ("versions", " ".join(_versions(run))),
    ]


def _versions(run: RunRow) -> list[str]:
    named = (("wrapper", run.wrapper_version), ("collection", run.collection_version))
    return [f"{name} {version}" for name, version in named if version]


def _rc(run: RunRow) -> str:
    return "never ran" if run.rc is None else str(run.rc)


def _next(run: RunRow) -> str:
    return translated(run.next) if run.next else ""


def _sections(run: RunRow) -> str:
    return ", ".join(run.sections) or "bare run"


def _mode(run: RunRow) -> str:
    return " (--check)" if run.check else ""


def _took(run: RunRow) -> str:
    import time

    return show_period(max(0.0, time.time() - run.started) if run.seconds is None else run.seconds)


def _shortest(ids: Sequence[str]) -> int:
    """How much of these ids tells them apart."""
    longest = max(map(len, ids), default=0)
    for length in range(SHORTEST_ID, longest):
        if len({one[:length] for one in ids}) == len(set(ids)):
            return length
    return longest
