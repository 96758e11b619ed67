# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a drill names exists, and agrees with what the lab says of its faults."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from ..catalogue import Catalogue
from ..errors import RunbookError
from .load import MalformedDrill, read
from .scenario import Scenario


def problems(paths: list[Path], catalogue: Catalogue) -> list[RunbookError]:
    """One error for each file that is no sound drill, in their order."""
    found: list[RunbookError] = []
    for path in paths:
        try:
            agree(read(path), path, catalogue)
        except RunbookError as error:
            found.append(error)
    return found


def agree(scenario: Scenario, path: Path, catalogue: Catalogue) -> None:
    """MalformedDrill where the drill names a runbook, section, fault, cause or branch that is not there."""

    def malformed(key: str, text: str, remedy: str) -> MalformedDrill:
        return MalformedDrill(f"key {key!r}: {text}", where=str(path), remedy=remedy)

    try:
        runbook = catalogue.get(scenario.runbook)
    except RunbookError as error:
        raise malformed("runbook", error.what, error.remedy or "runbook list") from None
    tags = [section.tag for section in runbook.sections]
    for section in ("symptoms", *scenario.sections):
        if section not in tags:
            raise malformed("sections", f"{runbook.slug} has no section {section}", f"one of {', '.join(tags)}")
    from dhakacart_lab.faults.catalogue import FAULTS

    for step in scenario.faults:
        if step.fault not in FAULTS:
            close = get_close_matches(step.fault, FAULTS, n=1)
            hint = f"did you mean {close[0]}?" if close else "runbook lab faults"
            raise malformed("faults", f"the lab cannot break {step.fault!r}", hint)
    if len(scenario.faults) > 1:
        return  # which of several causes comes first is the author's word
    fault = FAULTS[scenario.faults[0].fault]
    for key, said, true in (
        ("runbook", scenario.runbook, fault.runbook),
        ("expected_cause", scenario.expected_cause, fault.cause),
        ("expected_branch", scenario.expected_branch, fault.branch),
    ):
        if said != true:
            raise malformed(key, f"is {said!r}, the fault {fault.name} says {true!r}", f"{key}: {true or 'null'}")
