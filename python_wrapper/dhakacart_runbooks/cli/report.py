# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook report``: an incident as Markdown, as one HTML page, and as the draft of a post-mortem."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from .console import STYLES, Json, err, one_line_errors, out, print_json
from .following import translated

if TYPE_CHECKING:
    from ..report.model import Record

What = Annotated[
    str, typer.Argument(help="The folder of an incident, its name, the id of a run, or 'last'.", metavar="INCIDENT")
]
Environment = Annotated[
    str, typer.Option("--env", "-e", help="With 'last': only incidents of this environment, e.g. lab.")
]
Slug = Annotated[
    str, typer.Option("--runbook", "-r", help="With 'last': only incidents of this runbook.", metavar="SLUG")
]
Format = Annotated[
    str, typer.Option("--format", "-f", help="What to write: md, html, postmortem, separated by commas.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write into this folder instead of the incident's.")]
Incidents = Annotated[
    Path | None,
    typer.Option(help="The folder of the incidents (DHAKACART_INCIDENTS; else incidents/ of the collection)."),
]
Open = Annotated[bool, typer.Option("--open", help="Also show the HTML page in the browser.")]


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command(name="report")(report)


def report(
    what: What = "last",
    environment: Environment = "",
    runbook: Slug = "",
    formats: Format = "md,html,postmortem",
    folder: Out = None,
    incidents: Incidents = None,
    show: Open = False,
    as_json: Json = False,
) -> None:
    """Write the report of an incident: what broke, what was done, how to undo it, is it over.

    A record that is half written or damaged is reported as far as it can be read; what is missing is named.
    The exit code says whether the report was written, not whether the incident is over.

    Examples:

    - `runbook report` - the newest incident

    - `runbook report last --env prod --open` - the newest one of production, in the browser

    - `runbook report 2026-11-23-030405-prod-database-failure --format postmortem --out .`
    """
    with one_line_errors("report"):
        from ..report.locate import incidents_root, locate
        from ..report.record import read
        from ..report.redacting import redact_for
        from ..report.writing import formats as names_of
        from ..report.writing import write

        names = names_of(formats)
        found = locate(what, _root(what, incidents, incidents_root), environment, runbook)
        record = read(found, redact_for(found.resolve().parent))
        written = write(record, folder or found, names, time.time())
        if as_json:
            print_json(_as_json(record, found, written))
        else:
            _print(record, written)
        if show:
            _show(written)


def _root(what: str, chosen: Path | None, root_of: Any) -> Path:
    """A folder that is named by its path needs no collection."""
    from ..paths import expanded
    from ..report.locate import LAST, is_folder

    path = expanded(what)
    return path.parent if chosen is None and what != LAST and is_folder(path) else root_of(chosen)


def _as_json(record: Record, folder: Path, written: dict[str, Path]) -> dict[str, Any]:
    from ..report.verdict import judge, next_command

    verdict = judge(record)
    return {
        "incident": record.folder,
        "folder": str(folder.resolve()),
        "runbook": record.runbook,
        "environment": record.environment,
        "opened": record.opened,
        "state": str(verdict.state),
        "why": verdict.why,
        "likely_cause": record.cause[0].id if record.cause else "",
        "changes": len(record.changes),
        "next": translated(next_command(record)),
        "gaps": list(record.gaps),
        "files": {name: str(path.resolve()) for name, path in written.items()},
    }


def _print(record: Record, written: dict[str, Path]) -> None:
    from ..report.text import plural
    from ..report.verdict import judge, next_command
    from ..report.writing import FILES, FURTHER

    verdict = judge(record)
    out.print(Text(f"{record.runbook or 'incident'} in {record.environment or 'an unnamed environment'}: ").append(
        str(verdict.state), STYLES[verdict.state.tone]
    ).append(f", {verdict.why}"))  # fmt: skip
    cause = f"{record.cause[0].title} ({record.cause[0].id})" if record.cause else "none that the evidence confirms"
    out.print(Text(f"  likely cause  {cause}"))
    undo = (
        ", each with its undo in the report"
        if record.changes and all(s.undo or s.approval for s in record.changes)
        else ""
    )
    out.print(Text(f"  changed       {plural(len(record.changes), 'step')}{undo}"))
    for gap in record.gaps[:5]:
        out.print(Text(f"  not readable  {gap}", STYLES["warning"]))
    if len(record.gaps) > 5:
        out.print(Text(f"  not readable  and {len(record.gaps) - 5} more, see the report", STYLES["warning"]))
    for name, path in written.items():
        kept = f" (somebody has written in {FILES[name][0]}: it stays)" if path.name == FURTHER else ""
        out.print(Text(f"  written       {path}{kept}"))
    out.print(Text(f"Next: {translated(next_command(record))}"))


def _show(written: dict[str, Path]) -> None:
    import webbrowser

    page = written.get("html")
    if page is None:
        err.print("--open shows the HTML page, which --format left out", style="yellow")
    elif not webbrowser.open(page.resolve().as_uri()):
        err.print(f"no browser was found here; the page is {page}", style="yellow", markup=False)
