# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook search``: from a symptom, an error text or an alert to the runbook."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..catalogue import Catalogue, Runbook
from ..errors import ExitCode, UsageError
from ..search import Hit, Search
from .console import Json, err, one_line_errors, out, print_json
from .list_ import SEVERITY_STYLES

# A text that is longer is not repeated in the command to type next.
_SHORT = 60
MOST_BYTES = 100_000


def next_command(text: str, hits: Sequence[Hit]) -> str:
    """The safest command to type next: it reads and changes nothing."""
    best = hits[0].runbook
    if best.written:
        return f"runbook run {best.slug} -s symptoms"
    if alert := next((reason.split()[1] for reason in hits[0].why if reason.startswith("alert ")), ""):
        return f"runbook triage --alert {alert}"
    question = " ".join(text.split())
    return f"runbook triage {shlex.quote(question if len(question) <= _SHORT else best.title.lower())}"


def to_json(hit: Hit) -> dict[str, Any]:
    """A hit for machines."""
    runbook = hit.runbook
    return {
        "slug": runbook.slug,
        "title": runbook.title,
        "category": runbook.category,
        "severity": runbook.severity,
        "written": runbook.written,
        "score": hit.score,
        "why": list(hit.why),
    }


def show(console: Console, text: str, hits: Sequence[Hit]) -> None:
    """The hits, best first, each with its reason; then what to type next."""
    width = max(len(hit.runbook.slug) for hit in hits)
    for hit in hits:
        console.print(_head(hit.runbook, width), soft_wrap=False)
        why = Text.assemble(("matched  ", "dim"), ", ".join(hit.why))
        console.print(Padding(why, (0, 0, 0, 4)), soft_wrap=False)
        if not hit.runbook.written:
            console.print(Padding(Text(hit.runbook.opens_when, style="dim"), (0, 0, 0, 4)), soft_wrap=False)
    console.print()
    console.print(Text(f"Next: {next_command(text, hits)}", style="bold"))
    console.print(Text(f"Read: runbook show {hits[0].runbook.slug}", style="bold"))


def _head(runbook: Runbook, width: int) -> Text:
    severity = (f"{runbook.severity}  ", SEVERITY_STYLES.get(runbook.severity, ""))
    state = "" if runbook.written else ", not written yet"
    return Text.assemble(severity, (f"{runbook.slug:<{width}}", "bold"), (f"  {runbook.category}{state}", "dim"))


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command()
    def search(
        text: Annotated[list[str] | None, typer.Argument(help="What you see: words, a pasted line, an alert.")] = None,
        limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Show no more than so many.")] = 3,
        as_json: Json = False,
    ) -> None:
        """Which runbook is it? By symptom, error text or alert name; slips of the keyboard are forgiven.

        Exit codes: 0 found, 1 nothing found.

        Examples:

        `runbook search "too many connections"`

        `runbook search DhakaCartPodNotReady`

        `kubectl logs deploy/dhakacart-backend | tail -3 | runbook search -`
        """
        with one_line_errors("search"):
            asked = _asked(text or [])
            hits = Search(Catalogue.load()).find(asked, limit)
            if as_json:
                print_json([to_json(hit) for hit in hits])
            elif hits:
                show(out, asked, hits)
            else:
                err.print("runbook search: nothing found; remedy: other words, or runbook list", style="red")
            if not hits:
                raise typer.Exit(int(ExitCode.USAGE))


def _pasted() -> str:
    """The beginning of standard input, whatever its encoding: a log may be long, or never end."""
    return sys.stdin.buffer.read(MOST_BYTES).decode("utf-8", errors="replace") if sys.stdin else ""


def _asked(words: Sequence[str]) -> str:
    """What to search for; ``-`` is standard input."""
    text = _pasted() if list(words) == ["-"] else " ".join(words)
    if not text.strip():
        raise UsageError("nothing to search for", remedy='runbook search "what you see"')
    return text
