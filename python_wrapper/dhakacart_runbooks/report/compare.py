# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after: the opening state against the newest reading of every finding. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..finding import Finding, Status
from .model import Latest, Record


@dataclass(frozen=True)
class Change:
    """A finding whose status or summary is another one.

    :param before: None: it was not read at the opening.
    :param after: None: it was not read again.
    """

    id: str
    component: str
    before: Finding | None
    after: Latest | None

    @property
    def direction(self) -> str:
        """``better``, ``worse``, ``readable`` (it was unknown), ``same`` or ``not read``."""
        if self.before is None or self.after is None:
            return "not read"
        if self.before.status is Status.UNKNOWN and self.after.finding.status is not Status.UNKNOWN:
            return "readable"
        difference = self.after.finding.status.severity - self.before.status.severity
        return "better" if difference < 0 else "worse" if difference > 0 else "same"


@dataclass(frozen=True)
class Comparison:
    """What changed since the opening.

    :param changed: findings of another status, those that got worse first.
    :param still_bad: findings that were not ok at the opening and have the same status, or were not read again.
    :param same: how many are ok both times, or rightly not there.
    """

    changed: tuple[Change, ...]
    still_bad: tuple[Change, ...]
    same: int


def compare(record: Record) -> Comparison | None:
    """None where there is no opening state, or nothing was read after it."""
    if not record.opening or not any(section.findings for section in record.sections):
        return None
    before = {finding.id: finding for finding in record.opening.findings}
    after = {key: row for key, row in record.latest.items() if row.section != "opening"}
    pairs = [_pair(key, before.get(key), after.get(key)) for key in {**before, **after}]
    changed = [pair for pair in pairs if pair.direction in ("better", "worse", "readable")]
    equal = [pair for pair in pairs if pair.direction == "same"]
    bad = [pair for pair in equal if pair.before and pair.before.status.severity > 0 and pair.before.configured]
    not_again = [pair for pair in pairs if pair.after is None and pair.before and pair.before.status.severity > 0]
    return Comparison(
        changed=tuple(sorted(changed, key=lambda pair: (pair.direction != "worse", -_before(pair), pair.id))),
        still_bad=tuple(sorted([*bad, *not_again], key=lambda pair: (-_before(pair), pair.id))),
        same=len(equal) - len(bad),
    )


def _pair(key: str, before: Finding | None, after: Latest | None) -> Change:
    component = after.finding.component if after else before.component if before else ""
    return Change(key, component or key, before, after)


def _before(change: Change) -> int:
    return change.before.status.severity if change.before else -1
