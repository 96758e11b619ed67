# SPDX-License-Identifier: BSD-2-Clause
"""How a judgement reads facts: every value is checked, and what cannot be judged becomes UNKNOWN with the reason."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec

from .core.finding import Finding, Status

P = ParamSpec("P")
Facts = Mapping[str, Any]


class NotJudged(Exception):
    """The facts do not carry a judgement: a part was not read, is missing, or is absurd.

    :param reason: one line.
    :param kind: the kind of the read error behind it, or ``missing`` or ``absurd``.
    """

    def __init__(self, reason: str, kind: str = "absurd") -> None:
        super().__init__(reason)
        self.kind = kind


def judges(
    finding_id: str, component: str
) -> Callable[[Callable[Concatenate[Facts, P], Finding]], Callable[Concatenate[Facts, P], Finding]]:
    """Decorates a judgement ``(facts, ...) -> Finding``: NotJudged becomes an UNKNOWN finding of the same id."""

    def decorate(judge: Callable[Concatenate[Facts, P], Finding]) -> Callable[Concatenate[Facts, P], Finding]:
        @functools.wraps(judge)
        def guarded(facts: Facts, /, *args: P.args, **kwargs: P.kwargs) -> Finding:
            try:
                if not isinstance(facts, Mapping):
                    raise NotJudged(f"the facts are a {type(facts).__name__}, not a mapping")
                return judge(facts, *args, **kwargs)
            except NotJudged as reason:
                evidence = {"kind": reason.kind, "reason": str(reason)}
                return Finding(finding_id, component, Status.UNKNOWN, f"not judged: {reason}", evidence)

        return guarded

    return decorate


def part(facts: Any, name: str) -> Facts:
    """The part ``name`` of ``facts``, if it is there and was read."""
    found = facts.get(name) if isinstance(facts, Mapping) else None
    if found is None:
        raise NotJudged(f"{name} was not read", "missing")
    if not isinstance(found, Mapping):
        raise NotJudged(f"{name} is a {type(found).__name__}, not a mapping")
    if error := found.get("error"):
        raise not_read(error)
    return found


def not_read(error: Any) -> NotJudged:
    """The reason that an ``error`` entry of the facts gives."""
    if isinstance(error, Mapping):
        return NotJudged(str(error.get("message", "no message")), str(error.get("kind", "error")))
    return NotJudged(f"error entry is a {type(error).__name__}")


def rows(facts: Any, name: str) -> list[Facts]:
    """The list of mappings called ``name``; an ``{"error": ...}`` in its place is the reason it is missing."""
    found = facts.get(name) if isinstance(facts, Mapping) else None
    if found is None:
        raise NotJudged(f"{name} was not read", "missing")
    if isinstance(found, Mapping) and found.get("error"):
        raise not_read(found["error"])
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise NotJudged(f"{name} is not a list of mappings")
    return found


def number(facts: Facts, name: str, *, at_least: float = 0, at_most: float = math.inf) -> float:
    """The finite number ``name`` within its possible range; absurd values raise."""
    value = facts.get(name)
    if value is None:
        raise NotJudged(f"{name} is missing", "missing")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotJudged(f"{name} is {value!r}, not a number")
    if not at_least <= value <= at_most:
        raise NotJudged(f"{name} is {value:g}, which is impossible")
    return value


def optional_number(facts: Facts, name: str) -> float | None:
    """As :func:`number`, but None where the system said that there is no value."""
    return None if facts.get(name) is None else number(facts, name)


def text(facts: Facts, name: str) -> str:
    """The string ``name``; an empty one counts as missing."""
    value = facts.get(name)
    if value is None or value == "":
        raise NotJudged(f"{name} is missing", "missing")
    if not isinstance(value, str):
        raise NotJudged(f"{name} is a {type(value).__name__}, not text")
    return str(value)


def flag(facts: Facts, name: str) -> bool:
    """The boolean ``name``."""
    value = facts.get(name)
    if value is None:
        raise NotJudged(f"{name} is missing", "missing")
    if not isinstance(value, bool):
        raise NotJudged(f"{name} is {value!r}, neither true nor false")
    return value


def graded(value: float, warning: float, critical: float) -> Status:
    """The status of a value that is bad when high: at the threshold counts as beyond it."""
    if value >= critical:
        return Status.CRITICAL
    return Status.WARNING if value >= warning else Status.OK


def graded_low(value: float, warning: float, critical: float) -> Status:
    """The status of a value that is bad when low: at the threshold counts as beyond it."""
    if value <= critical:
        return Status.CRITICAL
    return Status.WARNING if value <= warning else Status.OK


def seconds(value: float) -> str:
    """A duration as people say it: ``40 ms``, ``2.5 s``, ``12 s``, ``3 min``, ``5 h``."""
    if 0 < value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.0f} h"
