# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of healthy systems, as read from real servers, and ways to change them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "module_utils"
DELETE = object()

Facts = dict[str, Any]
Changed = Callable[..., Facts]


def changed(facts: Facts, path: str, value: Any) -> Facts:
    """A copy of ``facts`` with the value at a dotted path (list positions are numbers) replaced or, DELETE, removed."""
    result = copy.copy(facts)
    *parents, last = path.split(".")
    place: Any = result
    for key in parents:  # copies only what is on the way: the rest is shared
        position = int(key) if isinstance(place, list) else key
        place[position] = copy.copy(place[position])
        place = place[position]
    if value is DELETE:
        del place[int(last) if isinstance(place, list) else last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return result


@pytest.fixture
def healthy(request: pytest.FixtureRequest) -> Facts:
    """The facts of the system whose folder the test is in."""
    found: Facts = json.loads((Path(request.path).parent / "healthy.json").read_text())
    return found


@pytest.fixture
def change() -> Changed:
    """``change(facts, path, value, path, value, ...)``."""

    def apply(facts: Facts, *pairs: Any) -> Facts:
        for path, value in zip(pairs[::2], pairs[1::2], strict=True):
            facts = changed(facts, path, value)
        return facts

    return apply


def every_path(facts: Any, prefix: str = "") -> list[str]:
    """The dotted path of every value in ``facts``."""
    items = facts.items() if isinstance(facts, dict) else enumerate(facts) if isinstance(facts, list) else []
    paths = []
    for key, value in items:
        path = f"{prefix}.{key}" if prefix else str(key)
        paths += [path, *every_path(value, path)]
    return paths


ABSURD: tuple[Any, ...] = (
    None,
    -1,
    10**12,
    float("nan"),
    True,
    "nonsense",
    "",
    [],
    {},
    [1],
    {"error": {"kind": "denied"}},
    DELETE,
)


@pytest.fixture
def mutations() -> Callable[[Facts], list[tuple[str, Any, Facts]]]:
    """Every value of the facts replaced by every absurd value, and removed: ``(path, value, facts)``."""

    def make(facts: Facts) -> list[tuple[str, Any, Facts]]:
        return [(path, value, changed(facts, path, value)) for path in every_path(facts) for value in ABSURD]

    return make
