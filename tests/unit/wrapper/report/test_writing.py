# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: what people have written in one is never lost."""

from __future__ import annotations

from pathlib import Path

from dhakacart_runbooks.report.model import Record
from dhakacart_runbooks.report.writing import write

RECORD = Record(folder="2026-11-23-030405-lab-database-failure", runbook="database-failure", environment="lab")


def test_a_draft_that_nobody_touched_is_replaced(tmp_path: Path) -> None:
    write(RECORD, tmp_path, ["postmortem"], made=1.0)

    second = write(RECORD, tmp_path, ["postmortem"], made=1_000_000.0)

    assert second["postmortem"] == tmp_path / "postmortem.md"
    assert [path.name for path in tmp_path.iterdir()] == ["postmortem.md"]


def test_a_draft_in_which_somebody_has_written_stays(tmp_path: Path) -> None:
    draft = write(RECORD, tmp_path, ["postmortem"], made=1.0)["postmortem"]
    theirs = draft.read_text().replace("#", "# We know why.\n\n#", 1)
    draft.write_text(theirs)

    second = write(RECORD, tmp_path, ["md", "postmortem"], made=2.0)

    assert draft.read_text() == theirs
    assert second["postmortem"].name == "postmortem.new.md"
    assert second["md"].name == "report.md"


def test_a_draft_without_the_mark_is_somebodys_own(tmp_path: Path) -> None:
    (tmp_path / "postmortem.md").write_text("Ours.\n")

    write(RECORD, tmp_path, ["postmortem"], made=1.0)

    assert (tmp_path / "postmortem.md").read_text() == "Ours.\n"
