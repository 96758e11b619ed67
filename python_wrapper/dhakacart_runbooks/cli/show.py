# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook show``: a runbook's page in the terminal."""

from __future__ import annotations

import os
import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..catalogue import TOOL, Catalogue, Runbook
from ..errors import InfrastructureError, UsageError
from ..pages import Page, PageSection
from ..paths import state_home
from ..search import AlertNames, Search
from .completion import complete_section
from .console import Json, one_line_errors, out, print_json
from .list_ import describe

# Longer lines are hard to read.
_WIDEST = 110
# Of the runbooks about much the same; further ones would mislead.
_NEAR = 2


def choose_section(runbook: Runbook, page: Page, name: str) -> PageSection:
    """A section of a page by its tag or the beginning of it; UsageError otherwise."""
    tags = [section.tag for section in page.sections]
    found = [section for section in page.sections if section.tag == name.lower()] or [
        section for section in page.sections if section.tag.startswith(name.lower())
    ]
    if len(found) != 1:
        wrong = "ambiguous" if found else "unknown"
        raise UsageError(f"{wrong} section {name!r}", where=runbook.slug, remedy=f"one of {', '.join(tags)}")
    return found[0]


def _show_page(console: Console, runbook: Runbook, page: Page, section: PageSection | None, alerts: list[str]) -> None:
    from .page_view import THEME, page_view

    content = page_view(runbook, page, section, alerts)
    # less: leave at once when it fits one screen, colours as they are, the text stays on the screen.
    os.environ.setdefault("LESS", "-FRX")
    with console.use_theme(THEME), console.pager(styles=True) if _has_pager() else nullcontext():
        # A command must not be cut: the terminal wraps it, and it can still be copied.
        console.print(content, soft_wrap=False, crop=False, width=min(console.width, _WIDEST))


def _has_pager() -> bool:
    """Whether the pager that Python would start is there: one that is missing shows nothing at all."""
    chosen = os.environ.get("MANPAGER") or os.environ.get("PAGER") or ""
    words = shlex.split(chosen) if chosen.count("'") % 2 == chosen.count('"') % 2 == 0 else []
    return not chosen or bool(words and shutil.which(words[0]))


def _show_unwritten(console: Console, catalogue: Catalogue, runbook: Runbook, alerts: list[str]) -> None:
    """What there is instead of a page."""
    console.print(Text(f"{runbook.title}  {runbook.severity} {runbook.category}", style="bold"))
    console.print(Text("This page is not written yet.", style="yellow"))
    console.print()
    about = Table.grid(padding=(0, 2))
    about.add_column(style="dim", no_wrap=True)
    about.add_row("Open it when", runbook.opens_when)
    if alerts:
        about.add_row("Alerts", ", ".join(alerts))
    console.print(about, soft_wrap=False)
    console.print()
    nearest = next(iter(_written_near(catalogue, runbook)), None)
    console.print(Text.assemble(("Next: runbook triage", "bold"), ("  reads every system, changes nothing", "dim")))
    if nearest:
        console.print(Text.assemble((f"Read: runbook show {nearest.slug}", "bold"), ("  the nearest page", "dim")))


def _written_near(catalogue: Catalogue, runbook: Runbook) -> list[Runbook]:
    """Runbooks that have a page, the most similar first."""
    return [hit.runbook for hit in Search(catalogue).near(runbook)[:_NEAR] if hit.runbook.page]


def _open_in_browser(runbook: Runbook, page: Page) -> Path:
    """Write the page as HTML and open it; where there is no browser the path is the answer."""
    from .page_view import to_html

    target = state_home() / "pages" / f"{runbook.slug}.html"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(to_html(page), encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(
            f"cannot be written ({error.strerror})", where=str(target), remedy="set DHAKACART_STATE_HOME"
        ) from None
    if out.is_terminal:
        typer.launch(target.as_uri())
    return target


def _complete_any(incomplete: str) -> list[tuple[str, str]]:
    """Every runbook, written or not. It must not print, whatever is wrong."""
    try:
        runbooks = list(Catalogue.load().runbooks.values())
    except Exception:
        return []
    return [(runbook.slug, runbook.title) for runbook in runbooks if runbook.slug.startswith(incomplete)]


Slug = Annotated[str, typer.Argument(help="Which runbook.", autocompletion=_complete_any)]
SectionName = Annotated[
    str | None, typer.Argument(help="Only this section, or the beginning of its name.", autocompletion=complete_section)
]


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command()
    def show(
        runbook: Slug,
        section: SectionName = None,
        web: Annotated[bool, typer.Option("--web", help="In the browser.")] = False,
        raw: Annotated[bool, typer.Option("--raw", help="The Markdown as it is.")] = False,
        as_json: Json = False,
    ) -> None:
        """Read a runbook's page, or one section of it.

        On a terminal through your pager (PAGER=cat for none); into a pipe or file as Markdown.

        Examples:

        `runbook show database-failure`

        `runbook show database-failure immediate`

        `runbook show database-failure inv --raw`
        """
        with one_line_errors("show"):
            if web + raw + as_json > 1:
                raise UsageError("--web, --raw and --json exclude each other", remedy="choose one")
            catalogue = Catalogue.load()
            chosen = catalogue.get(runbook)
            _show(catalogue, chosen, section, "web" if web else "raw" if raw else "json" if as_json else "")


def _show(catalogue: Catalogue, runbook: Runbook, name: str | None, form: str) -> None:
    page, names = runbook.text, AlertNames(catalogue)
    if name and page is None:
        what = "is a tool and has no page" if runbook.category == TOOL else "is not written yet"
        raise UsageError(
            f"{what}, so it has no section {name!r}", where=runbook.slug, remedy=f"runbook show {runbook.slug}"
        )
    section = choose_section(runbook, page, name) if page and name else None
    if form == "json":
        content = describe(runbook, names)
        parts = [section] if section else page.sections if page else ()
        content["text"] = [
            {"section": p.tag, "heading": p.heading, "steps": list(p.steps), "markdown": p.text} for p in parts
        ]
        print_json(content)
    elif page is None and form:
        raise UsageError(f"runbook {runbook.slug!r} is not written yet", remedy=f"runbook show {runbook.slug}")
    elif page is None:
        _show_unwritten(out, catalogue, runbook, names.rules(runbook.slug))
    elif form == "raw" or not (form or out.is_terminal):
        typer.echo(section.text if section else page.text)
    elif form == "web":
        out.print(str(_open_in_browser(runbook, page)), markup=False)
    else:
        _show_page(out, runbook, page, section, names.rules(runbook.slug))
