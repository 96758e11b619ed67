# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of an incident is found again, and only by the incident it belongs to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents

OPENING = {"findings": [{"id": "a", "component": "a", "status": "ok", "summary": "s"}], "status": "ok"}


def made(root: Path, name: str, *rows: dict[str, Any], hours_old: float = 0) -> Path:
    """An incident with an opening state and a timeline of these rows."""
    folder = root / name
    folder.mkdir()
    (folder / incidents.OPENING).write_text(json.dumps(OPENING))
    then = time.time() - hours_old * 3600
    if rows:
        (folder / incidents.TIMELINE).write_text("".join(json.dumps(row) + "\n" for row in rows))
        os.utime(folder / incidents.TIMELINE, (then, then))
    os.utime(folder, (then, then))
    return folder


def latest(root: Path, **keywords: Any) -> Path | None:
    return incidents.latest(root, "lab", "database-failure", **keywords)


def test_what_was_created_is_private_and_no_incident_before_something_says_so(tmp_path: Path) -> None:
    folder = incidents.create(tmp_path / "new" / "root", "lab", "database-failure")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert latest(tmp_path / "new" / "root") is None


def test_an_incident_of_another_lab_is_not_joined(tmp_path: Path) -> None:
    opened = {"event": "opened", "incident": True, "instance": "default-1111"}
    other = made(tmp_path, "2026-11-23-030400-lab-database-failure", opened)
    assert latest(tmp_path, instance="default-1111") == other
    assert latest(tmp_path, instance="default-2222") is None
    assert latest(tmp_path) is None


def test_two_responders_in_one_second_get_a_folder_each(tmp_path: Path) -> None:
    folders = {incidents.create(tmp_path, "lab", "database-failure") for _ in range(3)}
    assert len(folders) == 3


def test_the_newest_folder_is_the_latest(tmp_path: Path) -> None:
    newest = made(tmp_path, "2026-11-23-030405-lab-database-failure")
    made(tmp_path, "2026-11-23-030404-lab-database-failure")
    assert latest(tmp_path) == newest


def test_an_incident_in_which_nothing_happened_for_a_day_is_another_one(tmp_path: Path) -> None:
    made(tmp_path, "2026-11-22-030405-lab-database-failure", hours_old=24.1)
    assert latest(tmp_path) is None
    recent = made(tmp_path, "2026-11-22-040405-lab-database-failure", hours_old=23.9)
    assert latest(tmp_path) == recent


def test_a_report_that_is_written_later_does_not_make_it_younger(tmp_path: Path) -> None:
    folder = made(tmp_path, "2026-11-22-030405-lab-database-failure", {"event": "note"}, hours_old=30)
    (folder / "report.md").write_text("")
    assert latest(tmp_path) is None


def test_a_closed_incident_is_not_written_into_but_compared_with(tmp_path: Path) -> None:
    folder = made(tmp_path, "2026-11-23-030405-lab-database-failure", {"event": "closed", "recovered": True})
    assert latest(tmp_path) is None
    assert latest(tmp_path, closed=True) == folder


def test_after_a_closed_incident_an_older_open_one_is_not_taken_up_again(tmp_path: Path) -> None:
    made(tmp_path, "2026-11-23-020405-lab-database-failure")
    made(tmp_path, "2026-11-23-030405-lab-database-failure", {"event": "closed"})
    assert latest(tmp_path) is None


def test_the_record_of_a_run_that_only_read_is_no_incident(tmp_path: Path) -> None:
    reading = tmp_path / "2026-11-23-040405-lab-database-failure"
    reading.mkdir()
    (reading / incidents.TIMELINE).write_text('{"event": "opened", "incident": false}\n')
    assert latest(tmp_path) is None
    older = made(tmp_path, "2026-11-23-030405-lab-database-failure")
    assert latest(tmp_path) == older


def test_an_incident_that_has_no_evidence_yet_is_one_all_the_same(tmp_path: Path) -> None:
    begun = tmp_path / "2026-11-23-040405-lab-database-failure"
    begun.mkdir()
    (begun / incidents.TIMELINE).write_text('{"event": "opened", "incident": true}\n{"event": "sec')
    assert latest(tmp_path) == begun


@pytest.mark.parametrize("other", ["pre-lab-database-failure", "prod-database-failure", "lab-redis-failure"])
def test_the_incident_of_another_environment_or_runbook_is_not_taken(tmp_path: Path, other: str) -> None:
    made(tmp_path, f"2026-11-23-030405-{other}")
    assert latest(tmp_path) is None


def test_no_folder_at_all_is_no_incident(tmp_path: Path) -> None:
    assert latest(tmp_path / "missing") is None


def test_a_file_of_that_name_is_no_incident(tmp_path: Path) -> None:
    (tmp_path / "2026-11-23-030405-lab-database-failure").write_text("")
    assert latest(tmp_path) is None


def test_an_incident_is_found_by_its_name_also_when_it_is_closed_or_of_another_runbook(tmp_path: Path) -> None:
    folder = made(tmp_path, "2026-11-23-030405-lab-system-outage", {"event": "closed"}, hours_old=90)
    assert incidents.named(tmp_path, "lab", folder.name) == folder


@pytest.mark.parametrize("name", ["x", "../lab", "/etc", "2026-11-23-030405-prod-database-failure", ".", "*"])
def test_a_name_that_is_no_incident_of_this_environment_is_one_line_with_the_recent_ones(
    tmp_path: Path, name: str
) -> None:
    made(tmp_path, "2026-11-23-030405-prod-database-failure")
    for hour in range(5):
        made(tmp_path, f"2026-11-23-0{hour}0405-lab-database-failure")
    with pytest.raises(ConfigurationError) as raised:
        incidents.named(tmp_path, "lab", name)
    assert str(raised.value).startswith(
        f"dhakacart_incident: unknown incident {name!r}; remedy: one of 2026-11-23-040405-lab"
    )
    with pytest.raises(ConfigurationError, match="there is none of lab under"):
        incidents.named(tmp_path / "none", "lab", name)


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
        incidents.create(blocked / "incidents", "lab", "database-failure")
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(str(blocked))
    assert "Not a directory" in message
    assert message.endswith("remedy: set dhakacart_incident_dir")
