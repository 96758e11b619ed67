# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what is broken, and the list of what can be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.runbooks import rules
from dhakacart_lab import process
from dhakacart_lab.faults import catalogue
from dhakacart_lab.faults.fault import CannotBreakError, Fault
from dhakacart_lab.faults.state import ActiveFault, active, forget, record
from dhakacart_lab.lab import Lab
from dhakacart_lab.layout import LabError, Layout
from dhakacart_lab.locking import exclusive


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(name="t", folder=tmp_path, subnet=77, lab_id="t-1")


def fault(name: str, injected: float = 100.0, expires: float = 200.0) -> ActiveFault:
    return ActiveFault(name, f"cause-of-{name}", injected, expires, {"was": [1, 2]})


def test_what_was_recorded_is_active_oldest_first_and_the_same(layout: Layout) -> None:
    newer, older = fault("a", injected=2), fault("b", injected=1)
    record(layout, newer)
    record(layout, older)
    assert active(layout) == [older, newer]


def test_nothing_is_active_in_a_new_lab(layout: Layout) -> None:
    assert active(layout) == []


def test_what_was_healed_is_forgotten_and_the_rest_is_not(layout: Layout) -> None:
    record(layout, fault("a"))
    record(layout, fault("b"))
    forget(layout, "a")
    forget(layout, "never-there")
    assert [found.name for found in active(layout)] == ["b"]


def test_recording_again_replaces(layout: Layout) -> None:
    record(layout, fault("a", expires=200))
    record(layout, fault("a", expires=300))
    assert [found.expires for found in active(layout)] == [300]


def test_a_record_that_was_cut_off_while_writing_is_not_active(layout: Layout) -> None:
    record(layout, fault("a"))
    (layout.faults / "b.new").write_text("{")
    assert [found.name for found in active(layout)] == ["a"]


def test_the_truth_is_readable_by_its_owner_only(layout: Layout) -> None:
    record(layout, fault("a"))
    assert layout.faults.parent.stat().st_mode & 0o077 == 0


def test_a_fault_expires_when_its_lease_is_over() -> None:
    now = time.time()
    assert fault("a", expires=now - 1).expired
    assert not fault("a", expires=now + 60).expired


@pytest.mark.parametrize("name", catalogue.FAULTS)
def test_a_fault_names_a_cause_and_a_branch_that_its_runbook_has(name: str) -> None:
    found = catalogue.FAULTS[name]
    runbook = rules(found.runbook)
    causes = {cause.id: cause for cause in runbook.causes}
    assert found.name == name
    assert found.cause in causes
    assert (found.branch or "") == causes[found.cause].branch
    assert found.settle >= 0


def test_an_unknown_fault_is_refused_with_the_names() -> None:
    with pytest.raises(LabError, match="unknown fault 'x'; remedy: one of "):
        catalogue.get("x")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "a"}'])
def test_a_record_that_was_spoilt_is_named_with_the_remedy(layout: Layout, text: str) -> None:
    record(layout, fault("a"))
    (layout.faults / "a.json").write_text(text)
    with pytest.raises(LabError, match=r"a\.json: not a record of a fault .*remedy: "):
        active(layout)


@pytest.mark.parametrize(("error", "left"), [(CannotBreakError, []), (LabError, ["half"])])
def test_a_fault_that_was_half_made_stays_on_record_and_one_that_cannot_be_made_does_not(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, error: type[LabError], left: list[str]
) -> None:
    def inject(_lab: Lab) -> None:
        raise error("no")

    monkeypatch.setitem(catalogue.FAULTS, "half", Fault("half", "t", "c", None, inject))
    monkeypatch.setattr(process, "find", lambda _layout, _component: object())
    with pytest.raises(LabError, match="no"):
        catalogue.inject(Lab(layout), "half")
    assert [found.name for found in active(layout)] == left


def test_nothing_is_broken_or_healed_while_another_command_is_at_work(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "HEALING", 0.0)
    with exclusive(layout.folder), pytest.raises(LabError, match=r"pid \d+\) is at work on this lab"):
        catalogue.heal(Lab(layout))
