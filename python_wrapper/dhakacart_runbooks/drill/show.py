# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills in a terminal: phases as they happen, scorecards, tables."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from ..events import Event, StepStarted
from .journal import Entry, Phase
from .past import Trend
from .scenario import Scenario
from .series import Table as Figures
from .series import tables
from .statistics import Summary

VERDICT_STYLES = {"passed": "green", "failed": "bold red", "invalid": "yellow", "interrupted": "yellow"}
NEVER = "-"
MOST_SHOWN = 110  # characters of a phase's detail


class Phases:
    """Prints each phase when it ended; on a terminal, a clock and the current step while it lasts.

    :param secret: phases whose detail would give a blind drill away are printed without it.
    """

    def __init__(self, console: Console, *, secret: bool = False) -> None:
        self._console, self._secret = console, secret
        self._status: Status | None = None
        self._name, self._began = "", 0.0

    def begin(self, name: str) -> None:
        self._name, self._began = name, time.monotonic()
        if self._console.is_terminal:
            self._status = self._console.status("", spinner="line")
            self._status.start()
            self._tick("")

    def end(self, phase: Phase) -> None:
        if self._status:
            self._status.stop()
            self._status = None
        took = (phase.finished or phase.started) - phase.started
        detail = "" if self._secret else _shortened(phase.detail)
        word = "ok" if phase.ok else "no"
        style = "green" if phase.ok else "bold red"
        self._console.print(f"  {took:6.1f} s  [{style}]{word:3}[/] {phase.name:<14} {escape(detail)}".rstrip())

    def event(self, event: Event) -> None:
        if isinstance(event, StepStarted) and not self._secret:
            self._tick(event.title)

    def say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _tick(self, title: str) -> None:
        if self._status:
            clock = time.monotonic() - self._began
            self._status.update(escape(f"{clock:4.0f} s  {self._name}  {title}"))


def _shortened(text: str) -> str:
    """The journal has all of it."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 3]}..."


def scorecard(result: Mapping[str, Any]) -> Table:
    """What one drill is judged by."""
    table = Table("criterion", "met", "points", "detail", box=None, pad_edge=False)
    for criterion in result["criteria"]:
        met = {True: "[green]yes[/]", False: "[bold red]no[/]", None: NEVER}[criterion["met"]]
        points = NEVER if criterion["met"] is None else f"{criterion['points'] if criterion['met'] else 0}"
        table.add_row(criterion["name"], met, points, escape(criterion["detail"]))
    return table


def headline(result: Mapping[str, Any]) -> str:
    """The verdict in a line, as markup."""
    style = VERDICT_STYLES.get(result["verdict"], "")
    at = result["at"]
    times = "  ".join(f"{step} {at[step]:.0f} s" for step in at)
    points = f"{result['points']} of {result['of']} points" if result["of"] else ""
    lines = [f"[{style}]{result['verdict']}[/]  {escape(result['scenario'])}  {points}"]
    if times:
        lines.append(f"since the fault: {times}")
    if result["reason"]:
        lines.append(escape(result["reason"]))
    return "\n".join(lines)


def figures(results: Sequence[Mapping[str, Any]]) -> Table:
    """Repetitions: median, p95 (nearest rank) and extremes, with n."""
    table = Table(
        "drill", "n", "passed", "cause", "RTO median", "p95", "min-max", "RPO max", "lost", "diagnose median",
        box=None, pad_edge=False,
    )  # fmt: skip
    for one in tables(results):
        table.add_row(*_figures_row(one))
    return table


def _figures_row(one: Figures) -> list[str]:
    held = sum(one.verdicts.values())
    rto, rpo = one.measures["rto_seconds"], one.measures["rpo_seconds"]
    lost, diagnose = one.measures["lost_orders"], one.measures["diagnose"]
    valid = diagnose.n if diagnose else 0
    return [
        one.scenario,
        str(held),
        f"{one.verdicts.get('passed', 0)}/{held}",
        f"{one.cause_right}/{valid}",
        _seconds(rto.median if rto else None),
        _seconds(rto.p95 if rto else None),
        _span(rto),
        _seconds(rpo.maximum if rpo else None),
        NEVER if lost is None else f"{lost.maximum:.0f}",
        _seconds(diagnose.median if diagnose else None),
    ]


def _span(found: Summary | None) -> str:
    return NEVER if found is None else f"{found.minimum:.1f}-{found.maximum:.1f}"


def _seconds(value: float | None) -> str:
    return NEVER if value is None else f"{value:.1f} s"


def trend_table(trends: Sequence[Trend]) -> Table:
    table = Table("drill", "runs", "passed", "measure", "trend", "last", "median", "", box=None, pad_edge=False)
    for trend in trends:
        found = trend.to_json()
        median = found["summary"]["median"] if found["summary"] else None
        passed = f"{found['passed']}/{found['runs']}"
        mark = f"[bold red]{escape(trend.mark)}[/]" if trend.mark else ""
        table.add_row(
            trend.drill, str(found["runs"]), passed, trend.what, trend.line,
            _seconds(found["last"]), _seconds(median), mark,
        )  # fmt: skip
    return table


def scenario_table(scenarios: Sequence[Scenario]) -> Table:
    table = Table("drill", "what happens", "runbook", "recovers", "RTO", "RPO", box=None, pad_edge=False)
    for one in scenarios:
        goals = one.objectives
        table.add_row(
            one.name, escape(one.title), one.runbook, "yes" if one.recovers else "by a person",
            f"{goals.rto_seconds:.0f} s", f"{goals.rpo_seconds:.0f} s",
        )  # fmt: skip
    return table


def journal_table(entries: Sequence[Entry]) -> Table:
    table = Table("drill", "when (UTC)", "lab", "status", "last phase", "note", box=None, pad_edge=False)
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.started)) if entry.started else NEVER
        last = entry.phases[-1].name if entry.phases else NEVER
        style = VERDICT_STYLES.get(entry.status, "")
        status = f"[{style}]{entry.status}[/]" if style else entry.status
        table.add_row(entry.scenario or entry.id, when, entry.lab, status, last, escape(entry.note))
    return table
