# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook doctor``: is this machine, this inventory, and are these credentials fit to run?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from ..catalogue import Catalogue
from ..doctor.check import Check, State, verdict
from ..errors import ExitCode
from ..outcome import RunStatus
from ..request import RunRequest
from ..triage.answer import Answer
from ..triage.asking import Asked
from .console import Json, err, one_line_errors, out, print_json
from .findings import row
from .moving import MovingLine
from .run import Inventory, follow, inventories, make_launcher

STYLES = {State.OK: "green", State.BAD: "bold red", State.UNKNOWN: "cyan"}
TITLES = {"machine": "This machine", "inventory": "Inventory", "systems": "Systems, seen from where the checks run"}
COLUMN = 17
LONGEST = 30.0


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command()
    def doctor(
        inventory: Inventory = None,
        target: Annotated[str | None, typer.Option(help="Host or group, e.g. dr.")] = None,
        as_json: Json = False,
    ) -> None:
        """Check that runbooks can run from here, before there is an incident. Changes nothing.

        Exit codes: 0 fit, 2 not fit, 4 it could not be told.

        Examples:

        `runbook doctor`

        `runbook doctor -i production --json`
        """
        with one_line_errors("doctor"):
            catalogue = Catalogue.load()
            first, overlays = inventories(inventory)
            request = RunRequest(
                "triage", inventory=first, overlays=overlays, target=target, check=True, timeout=LONGEST
            )
            catalogue.validate(request)
            with MovingLine(err) as moving:
                moving.say("looking at this machine, the inventory and the systems")
                found = list(examine(catalogue, request))
        code = verdict(found)
        if as_json:
            print_json({"checks": [check.to_json() for check in found], "exit_code": int(code)})
        else:
            show(found, code, request)
        raise typer.Exit(int(code))


def examine(catalogue: Catalogue, request: RunRequest) -> Iterator[Check]:
    """Everything, in the order in which one stands on the other."""
    from ..doctor import inventory, machine, systems

    yield from machine.checks(catalogue)
    read = inventory.read(catalogue, request)
    yield read.check
    if read.variables is None:
        return
    yield inventory.place(read.variables)
    _folder, check = inventory.incidents(read.variables, catalogue.inventory(request.inventory))
    yield check
    answer = Answer(Asked("", ()))
    answer.outcome = follow(make_launcher(catalogue, ()).start(request), answer.take)
    if not answer.findings and answer.outcome.status is not RunStatus.HEALTHY:
        yield inventory.values(answer.outcome.message or f"the reading ended as {answer.outcome.status}")
        return
    yield inventory.values("")
    yield from systems.checks(answer.findings)


def show(found: list[Check], code: ExitCode, request: RunRequest) -> None:
    """For people: what is not ok has its remedy below it."""
    part = ""
    for check in found:
        if check.part != part:
            part = check.part
            out.print(Text(TITLES[part], style="bold"), soft_wrap=True)
        row(out, str(check.state), STYLES[check.state], check.name, check.detail, COLUMN)
        if check.state is not State.OK and check.remedy:
            row(out, "", "", "", f"remedy: {check.remedy}", COLUMN)
    bad, unknown = (sum(check.state is state for check in found) for state in (State.BAD, State.UNKNOWN))
    words = {
        ExitCode.HEALTHY: ("Fit to run.", "bold green"),
        ExitCode.UNHEALTHY: (f"Not fit to run: {bad} bad, {unknown} unknown.", "bold red"),
        ExitCode.INFRASTRUCTURE: (f"It could not be told: {unknown} unknown.", "bold yellow"),
    }
    out.print(Text(*words[code]))
    if code is ExitCode.HEALTHY:
        where = f" -i {request.inventory}" if request.inventory else ""
        out.print(Text(f"Next: runbook triage{where}", style="bold"), soft_wrap=True)
