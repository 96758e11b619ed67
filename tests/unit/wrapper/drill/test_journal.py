# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal after a controller that was killed, and one that somebody spoilt."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from dhakacart_runbooks.drill import journal
from dhakacart_runbooks.drill.journal import Phase


def test_a_drill_that_runs_is_left_alone() -> None:
    journal.begin("database-primary-killed", "lab", "lab")
    assert journal.mark_interrupted() == []
    assert journal.entries()[0].status == "running"


def test_a_drill_whose_controller_is_gone_is_marked_with_the_phase_it_died_in() -> None:
    entry = journal.begin("database-primary-killed", "lab", "lab")
    entry.phases = [Phase("break", 1.0, 2.0, True), Phase("contain", 2.0)]
    entry.process = (2**22 + 1, 1.0)  # above every pid
    journal.write(entry)
    marked = journal.mark_interrupted()
    assert [one.id for one in marked] == [entry.id]
    again = journal.entries()[0]
    assert again.status == "interrupted"
    assert "died in the phase contain" in again.note
    assert journal.mark_interrupted() == []


def test_another_process_with_the_same_pid_is_not_the_controller() -> None:
    entry = journal.begin("database-primary-killed", "lab", "lab")
    entry.process = (os.getpid(), 1.0)
    journal.write(entry)
    assert len(journal.mark_interrupted()) == 1


def test_a_blind_drills_journal_does_not_name_it(state: Path) -> None:
    entry = journal.begin("database-primary-killed", "lab", "lab", blind=True)
    text = (state / "drills" / f"{entry.id}.json").read_text()
    assert "primary" not in text
    assert "primary" not in entry.id


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"id": 1}', "\x00", '{"phases": 3}'])
def test_a_spoilt_journal_is_an_entry_that_says_so_and_hides_no_other(content: str, state: Path) -> None:
    good = journal.begin("database-primary-killed", "lab", "lab")
    (state / "drills" / "spoilt.json").write_text(content)
    found = {entry.id: entry for entry in journal.entries()}
    assert found[good.id].status == "running"
    assert found["spoilt"].status == "unreadable"


def test_a_journal_of_a_newer_version_is_read() -> None:
    entry = journal.begin("database-primary-killed", "lab", "lab")
    path = journal.folder() / f"{entry.id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "invented_later": 1}))
    assert journal.entries()[0].id == entry.id


def test_no_half_written_journal_is_left(state: Path) -> None:
    entry = journal.begin("database-primary-killed", "lab", "lab")
    for _ in range(20):
        journal.write(entry)
    assert [path.name for path in (state / "drills").iterdir()] == [f"{entry.id}.json"]
