# SPDX-License-Identifier: GPL-3.0-or-later
"""How ``runbook drill`` holds drills: what it prints and keeps meanwhile."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, RunbookError
from .console import err, out, print_json, print_json_line

if TYPE_CHECKING:
    from ..drill.scenario import Scenario
    from ..launcher_api import Launcher


def hold_series(
    scenarios: list[Scenario],
    lab: str,
    inventory: str | None,
    repeat: int,
    results: Path | None,
    resume: bool,
    as_json: bool,
    files: tuple[Path | None, Path | None],
) -> list[dict[str, Any]]:
    from ..drill import show
    from ..drill.engine import Drill, Interrupted
    from ..drill.export import write_html, write_junit
    from ..drill.series import Results, Series, turns
    from ..drill.target import LabTarget

    target, launcher = LabTarget(lab), launcher_for()
    note_interrupted()
    kept = Results(results)
    done = kept.read() if resume else []
    planned = turns(scenarios, repeat, done)

    def hold(scenario: Scenario, repetition: int) -> dict[str, Any]:
        if not as_json:
            out.print(
                f"\n[bold]{scenario.name}[/]  {scenario.title}  (lab {lab}, leash {scenario.lease_seconds:.0f} s)"
            )
        drill = Drill.of(scenario, target, launcher, inventory=inventory, progress=show.Phases(err))
        try:
            result = drill.run(repetition).to_json()
        except Interrupted as pressed:
            kept.add(tell(pressed.result.to_json(), target.environment, as_json))
            raise
        return tell(result, target.environment, as_json)

    series = Series(hold, kept, target.heal, lambda text: err.print(text, style="dim", markup=False))
    try:
        series.run(planned)
    finally:
        every = [*done, *series.held]
        html, junit = files
        if every and html:
            write_html(html, every)
        if every and junit:
            write_junit(junit, every)
    if not as_json and len(every) > 1:
        out.print()
        out.print(show.figures(every))
        out.print("p95 is the nearest rank: below 20 repetitions it is the largest value.", style="dim")
    return series.held


def tell(result: dict[str, Any], environment: str, as_json: bool, seed: int | None = None) -> dict[str, Any]:
    """Enter it into the history and print it."""
    from ..drill import past, show

    try:
        past.enter(result, environment, seed)
    except RunbookError as error:  # the journal has it, and the trend reads that too
        err.print(f"runbook drill: not entered into the history: {error}", style="yellow", markup=False)
    if as_json:
        print_json_line(result)
    else:
        out.print()
        out.print(show.scorecard(result))
        out.print(show.headline(result))
    return result


def note_interrupted() -> None:
    from ..drill.journal import mark_interrupted

    for entry in mark_interrupted():
        err.print(f"note: drill {entry.id}: {entry.note}", style="yellow", markup=False)


def exit_code(results: Sequence[dict[str, Any]]) -> int:
    verdicts = {result["verdict"] for result in results}
    if "invalid" in verdicts:
        return int(ExitCode.INFRASTRUCTURE)
    return int(ExitCode.UNHEALTHY if "failed" in verdicts else ExitCode.HEALTHY)


def hold_blind(scenarios: list[Scenario], seed: int | None, lab: str, inventory: str | None, as_json: bool) -> None:
    from ..drill import blind, show
    from ..drill.target import LabTarget

    target, launcher = LabTarget(lab), launcher_for(kept=False)
    note_interrupted()
    chosen_seed = secrets.randbelow(2**31) if seed is None else seed
    scenario = blind.choose(scenarios, chosen_seed)
    entry, page = blind.start(scenario, chosen_seed, target, launcher, inventory, show.Phases(err, secret=True))
    if as_json:
        print_json({"id": entry.id, "lab": lab, "leash": entry.leash, "page": page.to_json()})
        return
    out.print(f"\n[bold red]PAGE[/]  {page.alert}", soft_wrap=True)
    told = f"the last customer was told: {page.last_error}" if page.failed else "customers can order"
    out.print(f"      {page.failed} of {page.orders} orders failed since; {told}", markup=False)
    out.print(
        "\nFind the cause with the usual commands, e.g. runbook run database-failure -s investigation", markup=False
    )
    out.print("Then: runbook drill answer CAUSE     (without a cause: lists what may be answered)", markup=False)
    out.print(f"It ends by itself {scenario.lease_seconds / 60:.0f} minutes after it began.", markup=False)


def launcher_for(*, kept: bool = True) -> Launcher:
    """Runs sections; ``kept=False`` enters them into no history and record, which would tell a blind drill's cause."""
    from ..catalogue import Catalogue
    from ..history import HistoryObserver
    from ..launcher import RunnerLauncher
    from ..record import RecordObserver

    return RunnerLauncher(Catalogue.load(), (HistoryObserver(), RecordObserver()) if kept else ())


class terminated_as_interrupted:
    """SIGTERM and a lost terminal end a drill as Ctrl-C does: what was broken is put back first."""

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, self._interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}

    def __exit__(self, *_exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @staticmethod
    def _interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt
