# SPDX-License-Identifier: GPL-3.0-or-later
"""The scan for residue finds what was left behind, is silent where nothing was, and heal leaves nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from dhakacart_lab.faults.catalogue import FAULTS, heal, inject
from dhakacart_lab.lab import Lab
from dhakacart_lab.residue import Snapshot, compare, remaining, snapshot

from tests.scenario.plants import PLANTS, can_be_planted

QUIET_SECONDS = 60


@pytest.fixture(scope="module")
def before(whole_lab: Lab) -> Iterator[Snapshot]:
    heal(whole_lab)
    taken = snapshot(whole_lab)
    yield taken
    heal(whole_lab)


def test_a_healthy_lab_with_customers_shows_none_over_a_minute(whole_lab: Lab, before: Snapshot) -> None:
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        assert compare(before, snapshot(whole_lab)) == []
        time.sleep(2)


@pytest.mark.parametrize("name", PLANTS)
def test_what_was_left_behind_is_named(name: str, whole_lab: Lab, before: Snapshot) -> None:
    """And gone after it was undone, or after heal where heal has to put it back."""
    if not can_be_planted(name):
        pytest.skip("only root can mount")
    plant = PLANTS[name]
    assert compare(before, snapshot(whole_lab)) == []
    plant.do(whole_lab)
    try:
        found = "\n".join(compare(before, snapshot(whole_lab)))
        assert all(word in found for word in plant.words), found or "nothing was found"
    finally:
        if plant.undo:
            plant.undo(whole_lab)
        else:
            heal(whole_lab)
    assert remaining(whole_lab, before, within=20) == []


@pytest.mark.parametrize("name", ["primary-killed", "credentials-stale", "lock-pileup"])
def test_nothing_is_left_of_a_fault_that_was_healed(name: str, whole_lab: Lab, before: Snapshot) -> None:
    inject(whole_lab, name, lease=600)
    time.sleep(min(FAULTS[name].settle, 8))
    heal(whole_lab)
    assert remaining(whole_lab, before, within=20) == []
