# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of an incident is found again, and only by the incident it belongs to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents

OPENING = {"findings": [{"id": "a", "component": "a", "status": "ok", "summary": "s"}], "status": "ok"}


def made(root: Path, name: str, *, hours_old: float = 0) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / incidents.OPENING).write_text(json.dumps(OPENING))
    then = time.time() - hours_old * 3600
    os.utime(folder, (then, then))
    return folder


def test_what_was_created_is_the_latest_and_opens_as_it_was(tmp_path: Path) -> None:
    folder = incidents.create(tmp_path / "new" / "root", "lab", "database-failure", OPENING)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert incidents.latest(tmp_path / "new" / "root", "lab", "database-failure") == folder
    assert incidents.opening(folder) == OPENING


def test_two_responders_in_one_second_get_a_folder_each(tmp_path: Path) -> None:
    folders = {incidents.create(tmp_path, "lab", "database-failure", OPENING) for _ in range(3)}
    assert len(folders) == 3
    assert incidents.latest(tmp_path, "lab", "database-failure") == max(folders)


def test_the_newest_folder_is_the_latest(tmp_path: Path) -> None:
    newest = made(tmp_path, "2026-11-23-030405-lab-database-failure")
    made(tmp_path, "2026-11-23-030404-lab-database-failure")
    assert incidents.latest(tmp_path, "lab", "database-failure") == newest


def test_a_folder_older_than_a_day_belongs_to_another_incident(tmp_path: Path) -> None:
    made(tmp_path, "2026-11-22-030405-lab-database-failure", hours_old=24.1)
    assert incidents.latest(tmp_path, "lab", "database-failure") is None
    recent = made(tmp_path, "2026-11-22-040405-lab-database-failure", hours_old=23.9)
    assert incidents.latest(tmp_path, "lab", "database-failure") == recent


@pytest.mark.parametrize("other", ["pre-lab-database-failure", "prod-database-failure", "lab-redis-failure"])
def test_the_incident_of_another_environment_or_runbook_is_not_taken(tmp_path: Path, other: str) -> None:
    made(tmp_path, f"2026-11-23-030405-{other}")
    assert incidents.latest(tmp_path, "lab", "database-failure") is None


def test_no_folder_at_all_is_no_incident(tmp_path: Path) -> None:
    assert incidents.latest(tmp_path / "missing", "lab", "database-failure") is None


def test_a_file_of_that_name_is_no_incident(tmp_path: Path) -> None:
    (tmp_path / "2026-11-23-030405-lab-database-failure").write_text("")
    assert incidents.latest(tmp_path, "lab", "database-failure") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b'{"findings": {}}', b'{"findings": [1]}', b'{"findings": [{}]}', b"\xff\xfe"],
)
def test_an_opening_state_that_is_corrupt_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / incidents.OPENING).write_bytes(content)
    assert incidents.opening(tmp_path) is None


def test_an_opening_state_that_is_absent_is_none(tmp_path: Path) -> None:
    assert incidents.opening(tmp_path) is None


def test_a_root_that_cannot_be_written_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigurationError) as raised:
        incidents.create(blocked / "incidents", "lab", "database-failure", OPENING)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(str(blocked))
    assert "Not a directory" in message
    assert message.endswith("remedy: set dhakacart_incident_dir")


def test_notes_are_appended_a_line_each(tmp_path: Path) -> None:
    incidents.note(tmp_path, event="one", title="ক")
    incidents.note(tmp_path, event="two")
    rows = [json.loads(row) for row in (tmp_path / incidents.TIMELINE).read_text().splitlines()]
    assert [row["event"] for row in rows] == ["one", "two"]
    assert rows[0]["title"] == "ক"
    assert abs(rows[0]["time"] - time.time()) < 60


def test_a_note_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^.*timeline\.jsonl: .*No such file"):
        incidents.note(tmp_path / "gone", event="one")
