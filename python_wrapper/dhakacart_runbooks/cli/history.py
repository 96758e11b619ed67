# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook history``, ``runbook show-run`` and ``runbook prune-history``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ExitCode, InfrastructureError, UsageError
from ..outcome import RunStatus
from .console import Json, err, one_line_errors, out, print_json

if TYPE_CHECKING:
    from datetime import timedelta

    from ..history import History
    from ..history.rows import RunRow

MOST = 1_000_000
STATUSES = ("running", *map(str, RunStatus), "lost")


def _statuses(incomplete: str) -> list[str]:
    return [status for status in STATUSES if status.startswith(incomplete)]


def _run_ids(incomplete: str) -> list[str]:
    try:
        with _open() as history:
            return ["last", *(run.id for run in history.runs(limit=50) if run.id.startswith(incomplete))]
    except Exception:  # a shell that completes has nowhere to show an error
        return []


Runbook = Annotated[str | None, typer.Option("--runbook", "-r", help="Only runs of this runbook.", metavar="SLUG")]
Environment = Annotated[str | None, typer.Option("--env", "-e", help="Only runs on this environment, e.g. lab.")]
Ended = Annotated[
    str | None,
    typer.Option("--status", help=f"Only runs that ended so: {', '.join(STATUSES)}.", autocompletion=_statuses),
]
Since = Annotated[str | None, typer.Option("--since", help="Only runs since then: 12h, 7d, or 2026-11-01.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=MOST, help="How many at most.")]
RunId = Annotated[
    str, typer.Argument(help="The id of a run, its beginning, or 'last'.", metavar="ID", autocompletion=_run_ids)
]
Events = Annotated[bool, typer.Option("--events", help="Also what happened in it, step by step.")]
OlderThan = Annotated[str, typer.Option("--older-than", help="Remove what is older: 12h, 90d, 52w.")]
Keep = Annotated[int, typer.Option("--keep", min=0, max=MOST, help="Keep the newest runs (and drills), however old.")]
WithRecords = Annotated[bool, typer.Option("--with-records", help="Also delete the incident records of these runs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def add(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="history")(list_runs)
    app.command(name="show-run")(show_run)
    app.command(name="prune-history")(prune_history)


def list_runs(
    runbook: Runbook = None,
    environment: Environment = None,
    status: Ended = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """What ran, the newest first: when, who, where, how it ended, how long it took, the likely cause.

    A run whose process is gone is shown as **lost**.

    Examples:

        runbook history

        runbook history --env production --since 7d

        runbook history --status failed --json
    """
    with one_line_errors("history"):
        from ..history.periods import parse_since

        if status is not None and status not in STATUSES:
            raise UsageError(f"no run ends as {status!r}", where="--status", remedy=f"one of {', '.join(STATUSES)}")
        asked: dict[str, Any] = {"runbook": runbook, "environment": environment, "status": status}
        asked["since"] = parse_since(since, "--since") if since else None
        with _open() as history:
            runs = history.runs(**asked, limit=limit + 1)
            removed = history.prunings(limit=1)
            empty = not runs and not history.runs(limit=1)
        if as_json:
            print_json([run.to_json() for run in runs[:limit]])
            return
        from .history_view import show_runs

        if empty:
            out.print("No run yet. A first one that changes nothing: runbook triage")
        elif not runs:
            out.print("No run matches; runbook history shows all.")
        else:
            show_runs(out, runs[:limit], more=len(runs) > limit, removed=removed)


def show_run(run_id: RunId, events: Events = False, as_json: Json = False) -> None:
    """One run: what was asked for, its sections against their budgets, findings, cause, what to type next.

    Examples:

        runbook show-run last

        runbook show-run 3f2a --events
    """
    with one_line_errors("show-run"):
        with _open() as history:
            run = _choose(history, run_id)
            sections = history.sections(run.id)
        from .history_view import show_details, show_events, stored_events

        happened = stored_events(run) if events else None
        if as_json:
            content = {**run.to_json(), "section_times": [section.to_json() for section in sections]}
            print_json(content if happened is None else {**content, "events": happened})
            return
        show_details(out, run, sections)
        if happened is not None:
            out.print()
            show_events(out, run, happened)


def prune_history(
    older_than: OlderThan = "400d",
    keep: Keep = 50,
    with_records: WithRecords = False,
    yes: Yes = False,
) -> None:
    """Remove old runs and drills from the history. A run that goes on is never removed.

    Incident records stay, unless **--with-records**. Without this command what is older than 400 days
    (DHAKACART_HISTORY_DAYS; 0: never) is removed once a day.

    Examples:

        runbook prune-history --older-than 90d --keep 50

        runbook prune-history --older-than 52w --with-records --yes
    """
    with one_line_errors("prune-history"):
        from ..history.periods import parse_period

        age = parse_period(older_than, "--older-than")
        with _open() as history:
            found = history.prunable(age, keep)
            if not found.runs and not found.drills:
                out.print(f"Nothing to remove: nothing older than {older_than} beyond the newest {keep}.")
                return
            if not yes and not _agreed(f"{found} older than {older_than}", with_records):
                out.print("Nothing was removed.")
                raise typer.Exit(int(ExitCode.INTERRUPTED))
            _remove(history, age, keep, with_records)


def _remove(history: History, age: timedelta, keep: int, with_records: bool) -> None:
    import socket

    pruned = history.prune(age, keep)
    out.print(f"Removed {pruned}.")
    records = {run.record for run in pruned.runs if run.record}
    if not records:
        return
    if not with_records:
        out.print(f"Their incident records ({len(records)}) stay where they are.")
        return
    from ..history.records import remove_records

    done = remove_records(pruned.runs, in_use=history.records_in_use(), host=socket.gethostname())
    out.print(f"Incident records removed: {len(done.removed)}.")
    for folder, reason in done.kept.items():
        out.print(f"  kept {folder}: {reason}", markup=False)
    if done.failed:
        folder, reason = next(iter(done.failed.items()))
        more = f" (and {len(done.failed) - 1} more)" if len(done.failed) > 1 else ""
        raise InfrastructureError(f"cannot be removed: {reason}{more}", where=str(folder), remedy="remove it by hand")


def _agreed(what: str, with_records: bool) -> bool:
    """Whether a person says yes; without a terminal nobody can."""
    question = f"{what}{' and their incident records' if with_records else ''} will be removed"
    if not sys.stdin.isatty():
        raise UsageError(f"{question}, and nobody is here to agree", remedy="--yes")
    return typer.confirm(f"{question}. Go on?", err=True)


def _choose(history: History, run_id: str) -> RunRow:
    """The run; where several begin so they are listed."""
    if run_id != "last":
        found = history.find(run_id)
        if len(found) > 1:
            from .history_view import show_runs

            show_runs(err, found[:20], more=len(found) > 20)
            raise UsageError(f"{len(found)} runs begin so", where=run_id, remedy="type more of the id")
    return history.run(run_id)


def _open() -> History:
    from ..history import History

    return History.open()
