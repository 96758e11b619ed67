# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook list``: every runbook of the index, by category."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..catalogue import Catalogue, Runbook
from ..errors import UsageError
from ..search import AlertNames
from .console import Json, one_line_errors, out, print_json

# The level stands beside it: colour carries no meaning alone.
SEVERITY_STYLES = {"P0": "bold red", "P1": "yellow", "P2": "cyan", "P3": "dim"}
_WIDE = 120
# Below it a name in the last column would stand in pieces.
_ROOMY = 72


def describe(runbook: Runbook, alerts: AlertNames) -> dict[str, Any]:
    """A runbook for machines: plain JSON types; the keys are an interface."""
    return {
        "slug": runbook.slug,
        "title": runbook.title,
        "category": runbook.category,
        "severity": runbook.severity,
        "written": runbook.written,
        "opens_when": runbook.opens_when,
        "alerts": alerts.of(runbook.slug),
        "owner": runbook.owner,
        "updated": runbook.updated.isoformat() if runbook.updated else None,
        "review": runbook.review.isoformat() if runbook.review else None,
        "page": str(runbook.page) if runbook.page else None,
        "playbook": str(runbook.playbook) if runbook.playbook else None,
        "sections": [section.tag for section in runbook.sections],
    }


def show(console: Console, chosen: Sequence[Runbook], alerts: AlertNames, total: int) -> None:
    """The runbooks as one table, with what to type next."""
    # Into a pipe goes a line for each runbook, for grep.
    wide = console.is_terminal and console.width >= _WIDE
    roomy = not console.is_terminal or console.width >= _ROOMY
    between = "\n" if console.is_terminal else ", "
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim", expand=False)
    table.add_column("", no_wrap=True)
    table.add_column("Runbook", no_wrap=True)
    table.add_column("State", no_wrap=True)
    if roomy:
        table.add_column("Alerts", overflow="fold")
    if wide:
        table.add_column("Open it when", style="dim")
    for category, runbooks in groupby(chosen, key=lambda runbook: runbook.category):
        if table.row_count:
            table.add_row()
        table.add_row("", Text(category.upper(), style="bold"))
        for runbook in runbooks:
            row = [
                Text(runbook.severity, style=SEVERITY_STYLES.get(runbook.severity, "")),
                Text(runbook.slug, style="bold" if runbook.written else ""),
                Text("ready", style="green") if runbook.written else Text("not yet", style="dim"),
            ]
            row += [Text(between.join(alerts.rules(runbook.slug)))] if roomy else []
            table.add_row(*row, *([Text(runbook.opens_when)] if wide else []))
    console.print(table, soft_wrap=False)
    written = sum(runbook.written for runbook in chosen)
    console.print()
    some = "" if len(chosen) == total else f" of {total}"
    console.print(
        Text(f"{len(chosen)}{some} runbooks, {written} ready to run; the others are not written yet.", style="dim")
    )
    example = next((runbook.slug for runbook in chosen if runbook.written), "")
    console.print(Text('Next: runbook search "<symptom, error text or alert>"', style="bold"))
    if example:
        console.print(Text(f"      runbook show {example}", style="bold"))


def _categories(incomplete: str) -> list[str]:
    """For completion: it must not print, whatever is wrong."""
    try:
        known = dict.fromkeys(runbook.category for runbook in Catalogue.load().runbooks.values())
    except Exception:
        return []
    return [category for category in known if category.startswith(incomplete)]


Category = Annotated[
    str | None, typer.Option("--category", "-c", help="Only this category.", autocompletion=_categories)
]


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command(name="list")
    def list_(category: Category = None, as_json: Json = False) -> None:
        """Every runbook: how severe, ready or not, the alerts that lead to it.

        Examples:

        `runbook list`

        `runbook list --category emergency`

        `runbook list --json`
        """
        with one_line_errors("list"):
            catalogue = Catalogue.load()
            everything = list(catalogue.runbooks.values())
            chosen = [runbook for runbook in everything if category in (None, runbook.category)]
            if not chosen:
                known = ", ".join(dict.fromkeys(runbook.category for runbook in everything))
                raise UsageError(f"unknown category {category!r}", where="--category", remedy=f"one of {known}")
            alerts = AlertNames(catalogue)
            if as_json:
                print_json([describe(runbook, alerts) for runbook in chosen])
            else:
                show(out, chosen, alerts, len(everything))
