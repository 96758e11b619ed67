# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook drill``: rehearsals with a score."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import UsageError
from .console import Json, err, one_line_errors, out, print_json
from .drill_held import (
    exit_code,
    hold_blind,
    hold_series,
    launcher_for,
    note_interrupted,
    tell,
    terminated_as_interrupted,
)

if TYPE_CHECKING:
    from ..drill.scenario import Scenario

Lab = Annotated[str, typer.Option("--lab", "-n", help="Which lab; several run side by side.", envvar="DHAKACART_LAB")]
Inventory = Annotated[
    str | None,
    typer.Option("--inventory", "-i", help="lab, or staging, where the lab plays it."),
]
DEFAULT_LAB = "default"


class _DrillGroup(TyperGroup):
    """``runbook drill <name>`` is ``runbook drill run <name>``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["run", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_DrillGroup,
    help="Break the lab on a leash, run the runbook, score it.\n\n"
    "`runbook drill database-primary-killed` is short for `runbook drill run database-primary-killed`.\n\n"
    "Exit codes: 0 passed, 1 refused or mistyped, 2 failed, 3 interrupted (everything was put back), "
    "4 a drill proved nothing.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def add(root: typer.Typer) -> None:
    """Register the command."""
    root.add_typer(app, name="drill")


@app.command(name="list")
def list_(
    as_json: Json = False,
    journal: Annotated[bool, typer.Option("--journal", help="The drills that were held, newest last.")] = False,
) -> None:
    """List the drills, or those that were held.

    Example: `runbook drill list`; `runbook drill list --journal`
    """
    with one_line_errors("drill list"):
        from ..drill import journal as journals
        from ..drill import show
        from ..drill.load import load_all

        if journal:
            journals.mark_interrupted()
            entries = journals.entries()
            if as_json:
                print_json([entry.to_json() for entry in entries])
            else:
                out.print(show.journal_table(entries) if entries else "no drill was held yet")
            return
        scenarios = load_all()
        if as_json:
            print_json([scenario.model_dump(mode="json") for scenario in scenarios])
        else:
            out.print(show.scenario_table(scenarios))


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Files; all drills without any.")] = None,
) -> None:
    """Check the drills' files: one line for each that is malformed.

    Example: `runbook drill check drills/database-primary-killed.yml`
    """
    with one_line_errors("drill check"):
        from ..catalogue import Catalogue
        from ..drill.check import problems
        from ..drill.load import files as all_files

        paths = files or all_files()
        found = problems(paths, Catalogue.load())
        for problem in found:
            err.print(f"runbook drill check: {problem}", style="red", markup=False)
        if found:
            raise typer.Exit(max(int(problem.exit_code) for problem in found))
        out.print(f"{len(paths)} drills are sound")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a drill's file.

    Example: `runbook drill schema > drill.schema.json`
    """
    from ..drill.scenario import Scenario

    print_json(Scenario.model_json_schema())


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Drills; `runbook drill list` shows them.")] = None,
    inventory: Inventory = None,
    lab: Lab = DEFAULT_LAB,
    everything: Annotated[bool, typer.Option("--all", help="Every drill.")] = False,
    repeat: Annotated[int, typer.Option("--repeat", min=1, max=1000, help="How often.")] = 1,
    blind: Annotated[bool, typer.Option("--blind", help="A random fault; you find the cause.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", help="Makes the choice of --blind repeatable.")] = None,
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option("--html", help="Scorecards as one page.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Scorecards for a pipeline.")] = None,
    results: Annotated[Path | None, typer.Option("--results", help="A file that gets a JSON line a drill.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Leave out what --results already holds.")] = False,
) -> None:
    """Hold drills: each breaks the lab, runs the runbook's sections, and puts everything back.

    Example: `runbook drill run database-primary-killed --repeat 5`;
    `runbook drill run --all --repeat 5 --json --results drills.jsonl --resume`; `runbook drill run --blind`
    """
    with one_line_errors("drill run"), terminated_as_interrupted():
        _check_choice(names, everything, blind, seed, resume, results)
        chosen = _choose(names or [])
        os.environ["DHAKACART_LAB"] = lab  # the inventory's lookup reads it in the runs
        if blind:
            hold_blind(chosen, seed, lab, inventory, as_json)
            return
        found = hold_series(chosen, lab, inventory, repeat, results, resume, as_json, (html, junit))
    raise typer.Exit(exit_code(found))


def _check_choice(
    names: list[str] | None, everything: bool, blind: bool, seed: int | None, resume: bool, results: Path | None
) -> None:
    if sum((bool(names), everything, blind)) != 1:
        raise UsageError("choose what is held", remedy="names of drills, or --all, or --blind; runbook drill list")
    if seed is not None and not blind:
        raise UsageError("chooses only in a blind drill", where="--seed", remedy="add --blind, or leave it out")
    if resume and results is None:
        raise UsageError("needs the file of what was held", where="--resume", remedy="add --results FILE")


def _choose(names: Sequence[str]) -> list[Scenario]:
    from ..drill.load import load, load_all

    return [load(name) for name in dict.fromkeys(names)] if names else load_all()


@app.command()
def answer(
    cause: Annotated[str | None, typer.Argument(help="The cause you found; without it, they are listed.")] = None,
    lab: Lab = DEFAULT_LAB,
    as_json: Json = False,
    heal_only: Annotated[bool, typer.Option("--heal", help="Heal it, do not recover it by the runbook.")] = False,
) -> None:
    """Answer a blind drill: scores it, says what it was, recovers.

    Example: `runbook drill answer primary_down`
    """
    with one_line_errors("drill answer"), terminated_as_interrupted():
        from ..drill import blind, show
        from ..drill.load import load_all
        from ..drill.target import LabTarget

        os.environ["DHAKACART_LAB"] = lab
        scenarios = load_all()
        if cause is None:
            cause = _asked(blind.causes(scenarios))
        if cause is None:
            return
        target = LabTarget(lab)
        result, seed = blind.answer(cause, scenarios, target, launcher_for(), show.Phases(err), runbook=not heal_only)
        told = result.to_json()
        if not as_json:
            right = cause == result.expected_cause
            word = "[green]Right[/]" if right else "[bold red]Wrong[/]"
            out.print(f"\n{word}: it was {result.expected_cause}. {result.title} ({result.scenario}, seed {seed})")
            out.print(f"answered {result.at['diagnose']:.0f} s after the fault")
        tell(told, target.environment, as_json, seed)
    raise typer.Exit(exit_code([told]))


def _asked(causes: Any) -> str | None:
    """List them; on a terminal, ask."""
    width = max(map(len, causes))
    for name, title in causes.items():
        out.print(f"{name:<{width}}  {title}", markup=False)
    if not (sys.stdin.isatty() and out.is_terminal):
        return None
    return str(typer.prompt("cause")).strip()


@app.command()
def heal(lab: Lab = DEFAULT_LAB) -> None:
    """End whatever a drill has broken, and close a blind drill without an answer.

    Example: `runbook drill heal`
    """
    with one_line_errors("drill heal"):
        from ..drill import blind
        from ..drill.target import LabTarget

        target = LabTarget(lab)
        broken = len(target.broken())
        closed = blind.give_up(target)
        note_interrupted()
        target.heal()
        out.print(f"healed: {broken} faults; the shop takes orders" if broken else "nothing was broken")
        if closed:
            out.print(f"the blind drill {closed.id} is closed without an answer")


@app.command()
def trend(
    name: Annotated[str | None, typer.Argument(help="One drill; all without it.")] = None,
    as_json: Json = False,
) -> None:
    """Show how drills went over time, and what got worse.

    Example: `runbook drill trend database-primary-killed`
    """
    with one_line_errors("drill trend"):
        from ..drill import past, show
        from ..drill.load import load

        found = past.trends(name)
        if name and not found:
            load(name)  # mistyped?
        if as_json:
            print_json([one.to_json() for one in found])
        elif found:
            out.print(show.trend_table(found))
        else:
            out.print(f"no drill {name or ''} was held yet".replace("  ", " "))
