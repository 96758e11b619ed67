# SPDX-License-Identifier: GPL-3.0-or-later
"""Several drills in a row: every result is on the disk at once, a failed one stops nothing, and it can be resumed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InfrastructureError, RunbookError
from .scenario import Scenario
from .statistics import Summary, summary

MOST_INVALID = 3  # in a row: the lab is beyond what healing can do
COUNTED = ("passed", "failed")
MEASURES = ("rto_seconds", "rpo_seconds", "lost_orders", "outage_seconds")

Hold = Callable[[Scenario, int], Mapping[str, Any]]


@dataclass(frozen=True)
class Turn:
    """One drill to hold."""

    scenario: Scenario
    repetition: int


class Results:
    """A file of JSON lines, one a drill, each on the disk before the next drill begins.

    :param path: None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def add(self, result: Mapping[str, Any]) -> None:
        """Append it; InfrastructureError where that is not possible."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InfrastructureError(
                f"cannot be written ({error.strerror})", where=str(self.path), remedy="--results elsewhere"
            ) from None

    def read(self) -> list[dict[str, Any]]:
        """What is in it; the half line that a killed drill leaves is passed over."""
        if self.path is None:
            return []
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise InfrastructureError(
                f"cannot be read ({type(error).__name__})", where=str(self.path), remedy="--results elsewhere"
            ) from None
        return list(_parsed(lines))


def _parsed(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("scenario"):
            yield found


def turns(scenarios: Sequence[Scenario], repeat: int, done: Sequence[Mapping[str, Any]] = ()) -> list[Turn]:
    """What is to be held, round by round, so that an early end leaves figures of every drill.

    :param done: results to be counted, not repeated; one that proved nothing is held again.
    """
    had = Counter(str(result["scenario"]) for result in done if result.get("verdict") in COUNTED)
    rounds = range(1, repeat + 1)
    return [Turn(scenario, number) for number in rounds for scenario in scenarios if number > had[scenario.name]]


@dataclass
class Series:
    """Holds turns.

    :param hold: holds one drill; RunbookError for one that could not even be begun.
    :param mend: called after a drill that proved nothing, to give the next one a chance.
    """

    hold: Hold
    results: Results
    mend: Callable[[], None]
    said: Callable[[str], None]
    held: list[dict[str, Any]] = field(default_factory=list)

    def run(self, planned: Sequence[Turn]) -> list[dict[str, Any]]:
        """The results, in order. InfrastructureError when too many drills in a row proved nothing."""
        in_a_row = 0
        for number, turn in enumerate(planned, 1):
            if len(planned) > 1:
                self.said(f"drill {number} of {len(planned)}: {turn.scenario.name}, repetition {turn.repetition}")
            result = dict(self.hold(turn.scenario, turn.repetition))
            self.held.append(result)
            self.results.add(result)
            if result.get("verdict") in COUNTED:
                in_a_row = 0
                continue
            in_a_row += 1
            if number == len(planned):
                break
            if in_a_row >= MOST_INVALID:
                raise InfrastructureError(
                    f"{in_a_row} drills in a row proved nothing, the last one: {result.get('reason')}",
                    remedy="runbook lab status; with --results and --resume it goes on where it stopped",
                )
            self._mend()
        return self.held

    def _mend(self) -> None:
        try:
            self.mend()
        except RunbookError as error:
            self.said(f"could not be mended: {error}")


@dataclass(frozen=True)
class Table:
    """What the repetitions of one drill came to."""

    scenario: str
    verdicts: Mapping[str, int]
    cause_right: int
    measures: Mapping[str, Summary | None]

    def to_json(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario,
            "verdicts": dict(self.verdicts),
            "cause_right": self.cause_right,
            **{name: found.to_json() if found else None for name, found in self.measures.items()},
        }


def tables(results: Sequence[Mapping[str, Any]]) -> list[Table]:
    """One for each drill, in the order of their first result. What proved nothing is counted, not averaged."""
    found = []
    for name in dict.fromkeys(str(result["scenario"]) for result in results):
        own = [result for result in results if result["scenario"] == name]
        valid = [result for result in own if result.get("verdict") in COUNTED]
        measures: dict[str, Summary | None] = {key: summary([r.get(key) for r in valid]) for key in MEASURES}
        for step in ("detect", "contain", "diagnose", "recover", "verify"):
            measures[step] = summary([(r.get("at") or {}).get(step) for r in valid])
        right = sum(result.get("cause") == result.get("expected_cause") for result in valid)
        found.append(Table(name, Counter(str(r.get("verdict")) for r in own), right, measures))
    return found
