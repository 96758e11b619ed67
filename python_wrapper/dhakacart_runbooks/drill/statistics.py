# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of repeated drills. Few repetitions: so ``n`` stands beside every figure, and nothing is interpolated."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"  # a run that was not measured
SLOWER = 1.25  # of the median of the runs before
NOISE_SECONDS = 3.0  # below this a difference is the machine's, not the runbook's
ENOUGH = 3  # runs before the last one


@dataclass(frozen=True)
class Summary:
    """``p95`` is the nearest rank: for fewer than 20 values it is the largest."""

    n: int
    median: float
    p95: float
    minimum: float
    maximum: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def nearest_rank(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` per cent of the values do not exceed; ValueError for none."""
    if not values:
        raise ValueError("no values")
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is not a percentage above 0")
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]


def summary(values: Sequence[float | None]) -> Summary | None:
    """Of the values that were measured; None where none was."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Summary(len(known), statistics.median(known), nearest_rank(known, 95), min(known), max(known))


def sparkline(values: Sequence[float | None]) -> str:
    """A character a value, from the smallest to the largest; all equal is a flat line."""
    known = [value for value in values if value is not None]
    if not known:
        return GAP * len(values)
    low, span = min(known), max(known) - min(known)

    def block(value: float | None) -> str:
        if value is None:
            return GAP
        return BLOCKS[round((value - low) / span * (len(BLOCKS) - 1))] if span else BLOCKS[0]

    return "".join(map(block, values))


def regression(values: Sequence[float | None]) -> str:
    """What is worse in the last value than in those before it, e.g. ``slower: 40.0 s, median before 20.0 s``.

    Empty for no regression, and where there is not enough to compare with.
    """
    if len(values) < ENOUGH + 1 or values[-1] is None:
        return ""
    before = [value for value in values[:-1] if value is not None]
    if len(before) < ENOUGH:
        return ""
    usual, last = statistics.median(before), values[-1]
    if last > usual * SLOWER and last - usual > NOISE_SECONDS:
        return f"slower: {last:.1f} s, median before {usual:.1f} s"
    return ""
