# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook run``: a runbook's sections, live."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from ..catalogue import Catalogue
from ..events import Event
from ..launcher_api import Launcher, Observer, RunHandle
from ..outcome import RunOutcome, RunStatus
from ..request import RunRequest
from . import approval, options
from .completion import complete_inventory, complete_section, complete_slug
from .console import Json, err, one_line_errors, out, print_json_line
from .findings import tally
from .following import translate
from .live import RunView
from .moving import MovingLine, clock

# A run of these that was interrupted may have changed something.
CHANGING = frozenset({"resolution", "verification"})
Inventory = Annotated[
    list[str] | None,
    typer.Option(
        "--inventory",
        "-i",
        help="Name under inventories/, or a path; further ones are read after it. Default: the lab.",
        autocompletion=complete_inventory,
    ),
]

Every = Annotated[bool, typer.Option("--all", help="A row for every warning, also where something is critical.")]


def inventories(given: Sequence[str] | None) -> tuple[str | None, tuple[str, ...]]:
    """The inventory and its overlays; None is the lab."""
    return (given[0], tuple(given[1:])) if given else (None, ())


def make_launcher(catalogue: Catalogue, observers: Sequence[Observer]) -> Launcher:
    """The launcher of this machine."""
    from ..launcher import RunnerLauncher

    launcher: Launcher = RunnerLauncher(catalogue, observers=observers)
    return launcher


def make_observers(*, history: bool) -> list[Observer]:
    """The incident record and the history. One that cannot be kept is said in one line, and the run goes on."""
    from ..history import HistoryObserver
    from ..record import RecordObserver

    return [RecordObserver(), *([HistoryObserver()] if history else [])]


@contextmanager
def cancelled_by_signals(handle: RunHandle) -> Iterator[None]:
    """Ctrl-C, and the end of the terminal or session, end the run and leave no process of it."""

    def cancel(_number: int, _frame: Any) -> None:
        # In a thread of its own: the code that was interrupted may hold a lock that cancelling takes.
        threading.Thread(target=handle.cancel, name="cancel", daemon=True).start()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, cancel) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(handle: RunHandle, tell: Callable[[Event], None]) -> RunOutcome:
    """Hand every event on, to the end; the outcome."""
    with handle, cancelled_by_signals(handle):
        for event in handle.events():
            tell(event)
        return handle.wait()


def live(launcher: Launcher, request: RunRequest, catalogue: Catalogue, *, every: bool = False) -> RunOutcome:
    """Run it in the terminal, and say at the end what became of it and what to type next."""
    with MovingLine(out) as moving:
        view = RunView(out, catalogue, moving, every=every)
        outcome = follow(launcher.start(request), view.show)
        view.end()
    show_end(outcome, view, catalogue)
    return outcome


def show_end(outcome: RunOutcome, view: RunView, catalogue: Catalogue) -> None:
    """Verdict, time, record, and the next command."""
    if outcome.status in (RunStatus.REFUSED, RunStatus.BROKEN):
        err.print(Text(f"runbook run: {outcome.message or 'Ansible could not be run'}", style="red"), soft_wrap=True)
        return
    verdict, style = _verdict(outcome, view)
    out.print(Text().append(verdict, style=style).append(f"  took {clock(outcome.seconds)}"), soft_wrap=True)
    show_record(outcome)
    out.print(Text(f"Next: {_next(outcome, view, catalogue)}", style="bold"), soft_wrap=True)


def show_record(outcome: RunOutcome) -> None:
    """Where the incident record is, from here where it is below."""
    if outcome.record:
        place = Path(outcome.record)
        shown = place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place
        out.print(Text(f"Record: {shown}"), soft_wrap=True)


def _verdict(outcome: RunOutcome, view: RunView) -> tuple[str, str]:
    if outcome.status is RunStatus.HEALTHY:
        return "Healthy.", "bold green"
    if outcome.status is RunStatus.UNHEALTHY:
        return f"Not healthy: {tally(outcome.findings) or outcome.message}.", "bold red"
    if outcome.status is RunStatus.FAILED:
        said = not outcome.message or any(outcome.message in text or text in outcome.message for text in view.said)
        return "Failed." if said else f"Failed: {outcome.message}", "bold red"
    why = "Interrupted" if outcome.status is RunStatus.CANCELLED else "Ended at its time limit"
    where = f' in step "{outcome.interrupted_step}"' if outcome.interrupted_step else ""
    going_on = "; what that step began may go on at the other end" if outcome.interrupted_step else ""
    return f"{why}{where}{going_on}.", "bold yellow"


def _next(outcome: RunOutcome, view: RunView, catalogue: Catalogue) -> str:
    if outcome.status in (RunStatus.CANCELLED, RunStatus.TIMEOUT):
        return _look(outcome.request, changing=bool(set(outcome.request.sections) & CHANGING))
    if outcome.status is RunStatus.FAILED and not outcome.next:
        return _look(outcome.request, changing=outcome.changed)
    # What prevents the next incident does not come before the end of this one.
    last = [closed for tag, closed in view.closed.items() if tag != "prevention"]
    urgent = last[-1].next if last and last[-1].likely_cause else outcome.next
    return translate(urgent or "nothing", catalogue)


def _look(request: RunRequest, *, changing: bool) -> str:
    """How to find out where it stands: whether it is well now, where something may have been changed."""
    words = ["runbook", "run", request.runbook, "-s", "verification" if changing else "investigation"]
    for inventory in (request.inventory, *request.overlays):
        words += ["-i", inventory] if inventory else []
    words += ["--target", request.target] if request.target else []
    return shlex.join(words)


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command()
    def run(
        runbook: Annotated[str, typer.Argument(help="Its slug, e.g. database-failure.", autocompletion=complete_slug)],
        section: Annotated[
            list[str] | None,
            typer.Option("--section", "-s", help="Section; repeat it for more.", autocompletion=complete_section),
        ] = None,
        inventory: Inventory = None,
        target: Annotated[str | None, typer.Option(help="Host or group, e.g. dr.")] = None,
        branch: Annotated[str | None, typer.Option(help="Resolution branch, instead of the recommended one.")] = None,
        variable: Annotated[list[str] | None, typer.Option("-e", metavar="KEY=VALUE", help="Extra variable.")] = None,
        check: Annotated[bool, typer.Option("--check", help="Say what would change; change nothing.")] = False,
        approve: Annotated[str | None, typer.Option(metavar="REASON", help="Approve the change; recorded.")] = None,
        timeout: Annotated[str | None, typer.Option(metavar="DURATION", help="End it after, e.g. 10m.")] = None,
        incident: Annotated[str | None, typer.Option(metavar="NAME", help="The incident it belongs to.")] = None,
        history: Annotated[bool, typer.Option("--history/--no-history", help="Keep it in the history.")] = True,
        every: Every = False,
        as_json: Json = False,
    ) -> None:
        """Run a runbook. Without a section it reads only and changes nothing.

        Examples:

        `runbook run database-failure`

        `runbook run database-failure -s immediate -i staging`

        `runbook run database-failure -s resolution -i production --approve "INC-7: primary is dead"`
        """
        with one_line_errors("run"):
            catalogue = Catalogue.load()
            first, overlays = inventories(inventory)
            request = RunRequest(
                runbook=runbook,
                sections=tuple(section or ()),
                inventory=first,
                overlays=overlays,
                target=target,
                branch=branch,
                variables=options.variables(variable or ()),
                check=check,
                approve=approve,
                timeout=options.duration(timeout),
                incident=incident,
            )
            catalogue.validate(request)
            request = approval.approved(request, catalogue, ask=not as_json and approval.somebody_is_there())
            launcher = make_launcher(catalogue, make_observers(history=history))
            if as_json:
                outcome = follow(launcher.start(request), lambda event: print_json_line(event.to_json()))
            else:
                outcome = live(launcher, request, catalogue, every=every)
        raise typer.Exit(int(outcome.exit_code))
