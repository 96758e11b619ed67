# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast an autoscaler may follow its metrics: stabilization windows and the policies of its ``behavior``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..kinds import Obj

UP_DEFAULT: Obj = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
DOWN_DEFAULT: Obj = {
    "stabilizationWindowSeconds": 300,
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}
LIFE = 3600.0  # seconds, the longest window and period there may be
Reason = tuple[str, str]  # reason and message of a condition
STABLE = ("ReadyForNewScale", "recommended size matches current size")
UP_STABILIZED = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
DOWN_STABILIZED = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
IN_RANGE = ("DesiredWithinRange", "the desired count is within the acceptable range")
UP_LIMIT = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
DOWN_LIMIT = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")


@dataclass(frozen=True)
class Decision:
    """``able``: for AbleToScale; ``limit``: for ScalingLimited, with ``limited`` as its status."""

    replicas: int
    able: Reason
    limited: bool
    limit: Reason


@dataclass
class Pace:
    """What one autoscaler remembers: (moment, replicas) of recommendations, (moment, change) of scalings."""

    recommended: list[tuple[float, int]] = field(default_factory=list)
    changes: list[tuple[float, int]] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic

    def begin(self, current: int) -> None:
        """The present size counts as the first recommendation."""
        if not self.recommended:
            self.recommended.append((self.clock(), current))

    def scaled(self, change: int) -> None:
        """It was scaled by that many replicas."""
        self.changes = [(moment, by) for moment, by in self.changes if moment > self.clock() - LIFE]
        self.changes.append((self.clock(), change))

    def decide(self, spec: Obj, current: int, wanted: int) -> Decision:
        """What may be done now about ``wanted`` replicas, as the HPA ``spec`` has it."""
        behavior = spec.get("behavior") or {}
        up = {**UP_DEFAULT, **(behavior.get("scaleUp") or {})}
        down = {**DOWN_DEFAULT, **(behavior.get("scaleDown") or {})}
        steady = self._stabilized(current, wanted, up, down)
        able = STABLE
        if steady != wanted:
            able = UP_STABILIZED if wanted >= current else DOWN_STABILIZED
        low, high = int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])
        replicas, limit = self._limited(current, steady, up if steady > current else down, low, high)
        return Decision(replicas, able, replicas != steady, limit)

    def _stabilized(self, current: int, wanted: int, up: Obj, down: Obj) -> int:
        """The present size, brought to between the lowest and the highest recent recommendation."""
        now, lowest, highest = self.clock(), wanted, wanted
        for moment, replicas in self.recommended:
            if moment > now - up["stabilizationWindowSeconds"]:
                lowest = min(lowest, replicas)
            if moment > now - down["stabilizationWindowSeconds"]:
                highest = max(highest, replicas)
        kept = max(up["stabilizationWindowSeconds"], down["stabilizationWindowSeconds"])
        self.recommended = [found for found in self.recommended if found[0] > now - kept]
        self.recommended.append((now, wanted))
        return min(max(current, lowest), highest)

    def _limited(self, current: int, wanted: int, rules: Obj, low: int, high: int) -> tuple[int, Reason]:
        if wanted > current:
            limit = max(current, self._limit(current, rules, up=True))
            most, why = (limit, UP_LIMIT) if high > limit else (high, TOO_MANY)
            if wanted > most:
                return most, why
        elif wanted < current:
            limit = min(current, self._limit(current, rules, up=False))
            least, why = (limit, DOWN_LIMIT) if low < limit else (low, TOO_FEW)
            if wanted < least:
                return least, why
        return wanted, IN_RANGE

    def _limit(self, current: int, rules: Obj, *, up: bool) -> int:
        """The most, or the fewest, replicas that the policies allow in their periods."""
        if rules["selectPolicy"] == "Disabled":
            return current
        proposed: list[int] = []
        for policy in rules["policies"]:
            recent = sum(by for moment, by in self.changes if moment > self.clock() - policy["periodSeconds"])
            start, value = current - recent, int(policy["value"])
            if policy["type"] == "Pods":
                proposed.append(start + value if up else start - value)
            elif up:
                proposed.append(math.ceil(start * (1 + value / 100)))
            else:
                proposed.append(int(start * (1 - value / 100)))
        # Max is the policy that changes most
        return max(proposed) if up == (rules["selectPolicy"] != "Min") else min(proposed)
