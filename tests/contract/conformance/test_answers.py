# SPDX-License-Identifier: GPL-3.0-or-later
"""Each scenario on each server, answer by answer, against what the real one was recorded to answer.

What is known to differ is in ``deviations.py``; an answer that no longer differs must be taken out there.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from .cases import GOLDEN, SCENARIOS, golden
from .deviations import DEVIATIONS
from .scenario import run
from .wire import Wire


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_servers_answer_alike(servers: tuple[str, Wire, Wire], name: str) -> None:
    which, wire, reader = servers
    expected, found = golden(name), run(name, wire, reader)
    known = set(DEVIATIONS.get(name, {})) if which == "simulated" else set()
    differing = {i for i, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1]}
    assert not (differing - known), _shown(expected, found, differing - known)
    assert not (known - differing), f"no longer different, take out of deviations.py: {sorted(known - differing)}"


def test_there_is_an_answer_and_a_scenario_for_everything() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(SCENARIOS)
    for name, steps in DEVIATIONS.items():
        assert all(0 <= step < len(golden(name)) for step in steps), name


def _shown(expected: list[Any], found: list[Any], steps: set[int]) -> str:
    lines = []
    for step in sorted(steps)[:3]:
        for what, answer in (("real", expected[step]), ("this", found[step])):
            lines.append(f"{step} {what}: {json.dumps(answer, sort_keys=True)[:1500]}")
    return "\n".join(lines)
