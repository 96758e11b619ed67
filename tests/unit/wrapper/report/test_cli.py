# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook report`` finds the incident that is meant, writes three files, and fails in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from dhakacart_runbooks.cli import report as command
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.report.locate import VARIABLE, locate
from typer.testing import CliRunner, Result

Files = dict[str, Any]
Write = Callable[..., Path]
Call = Callable[..., Result]
NAMES = ("report.md", "report.html", "postmortem.md")


@pytest.fixture
def runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls the command with the incidents of this test, a history of its own, and no colour."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "incidents"))
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(tmp_path / "state"))
    app = typer.Typer()
    app.callback()(lambda: None)
    command.add(app)
    return lambda *arguments: CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_the_newest_incident_is_reported_into_its_own_folder(files: Files, write: Write, runbook: Call) -> None:
    write(files, "2026-11-22-010203-lab-database-failure")
    folder = write(files)
    result = runbook()
    assert result.exit_code == 0, result.output
    assert all((folder / name).stat().st_size > 2_000 for name in NAMES)
    assert "database-failure in lab: over, verified as recovered" in result.output
    assert "Next: runbook run database-failure -s prevention" in result.output


def test_the_record_of_a_run_that_only_read_is_not_the_newest_incident(
    files: Files, write: Write, tmp_path: Path
) -> None:
    incident = write(files)
    del files["opening.json"]
    reading = write(files, "2026-11-24-010203-lab-database-failure")
    assert locate("last", tmp_path / "incidents") == incident
    (incident / "opening.json").unlink()
    assert locate("last", tmp_path / "incidents") == reading


def test_environment_and_runbook_narrow_the_search(files: Files, write: Write, tmp_path: Path) -> None:
    root = tmp_path / "incidents"
    wanted = write(files, "2026-11-20-010203-prod-database-failure")
    write(files, "2026-11-22-010203-lab-database-failure")
    write(files, "2026-11-23-010203-prod-redis-failure")
    assert locate("last", root, "prod", "database-failure") == wanted
    with pytest.raises(UsageError, match="of redis-failure on lab"):
        locate("last", root, "lab", "redis-failure")


def test_a_run_is_found_by_its_id_and_by_the_beginning_of_it(files: Files, write: Write, tmp_path: Path) -> None:
    folder = write(files)
    assert locate("run-resolution", tmp_path / "incidents") == folder
    assert locate("run-res", tmp_path / "incidents") == folder


def test_the_beginning_of_several_ids_is_refused_and_not_guessed(files: Files, write: Write, tmp_path: Path) -> None:
    folder = write(files)
    for run_id in ("twin-1", "twin-2"):
        (folder / f"runs/{run_id}.json").write_text("{}")

    with pytest.raises(UsageError, match=r"twin: 2 runs begin so: twin-1, twin-2"):
        locate("twin", tmp_path / "incidents")
    assert locate("twin-2", tmp_path / "incidents") == folder


def test_a_folder_is_found_by_its_path_and_by_its_name(files: Files, write: Write, tmp_path: Path) -> None:
    folder = write(files)
    assert locate(str(folder), tmp_path) == folder
    assert locate(folder.name, tmp_path / "incidents") == folder


def test_another_folder_can_be_written_into(files: Files, write: Write, runbook: Call, tmp_path: Path) -> None:
    folder = write(files)
    result = runbook("last", "--format", "html", "--out", tmp_path / "new" / "folder")
    assert result.exit_code == 0
    assert (tmp_path / "new" / "folder" / "report.html").exists()
    assert not any((folder / name).exists() for name in NAMES)


def test_for_machines_it_is_one_json_document(files: Files, write: Write, runbook: Call) -> None:
    files["timeline.jsonl"][0] = None
    folder = write(files)
    found = json.loads(runbook("--json").stdout)
    assert found["state"] == "over"
    assert found["likely_cause"] == "primary_down"
    assert found["gaps"] == ["timeline.jsonl line 1 is unreadable"]
    assert found["files"]["html"] == str(folder / "report.html")


def test_secrets_are_redacted_with_the_key_of_the_incidents(
    files: Files, write: Write, runbook: Call, tmp_path: Path
) -> None:
    from dhakacart_runbooks._redaction import Redactor, key_of

    secret = "correct-horse-battery"
    files["opening.json"]["facts"]["postgresql"] = {"dsn": f"postgresql://dhakacart:{secret}@10.0.0.1/dhakacart"}
    folder = write(files)
    token = Redactor([], key_of(tmp_path / "incidents")).token(secret)
    assert runbook().exit_code == 0
    for name in ("report.md", "report.html"):
        text = (folder / name).read_text()
        assert secret not in text
        assert token in text.replace("\\", "")


def test_reading_a_record_makes_no_key(files: Files, write: Write, runbook: Call, tmp_path: Path) -> None:
    folder = write(files)
    assert runbook(folder).exit_code == 0
    assert [path.name for path in (tmp_path / "incidents").iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing-like-it"], "nothing-like-it: no incident, and no run, of this name"),
        (["../../etc"], "no incident"),
        (["last", "--format", "pdf"], "--format: 'pdf' is no format"),
        (["last", "--env", "prod"], "holds no incident record of on prod"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_code_1(
    arguments: list[str], said: str, files: Files, write: Write, runbook: Call
) -> None:
    write(files)
    result = runbook(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1 and "remedy:" in result.stderr


def test_no_incident_at_all_is_one_line_and_exit_code_1(runbook: Call) -> None:
    result = runbook()
    assert result.exit_code == 1
    assert "holds no incident record" in result.stderr


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_code_4(
    files: Files, write: Write, runbook: Call, tmp_path: Path
) -> None:
    write(files)
    (tmp_path / "file").write_text("x")
    result = runbook("last", "--out", tmp_path / "file" / "below")
    assert result.exit_code == 4
    assert "cannot be written" in result.stderr and "--out DIR" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_one_line_and_exit_code_4(files: Files, write: Write, runbook: Call) -> None:
    folder = write(files)
    folder.chmod(0)
    result = runbook(folder)
    folder.chmod(0o700)
    assert result.exit_code == 4


def test_a_file_that_was_there_is_replaced_whole_and_no_draft_is_left(
    files: Files, write: Write, runbook: Call
) -> None:
    folder = write(files)
    (folder / "report.html").write_text("old")
    assert runbook().exit_code == 0
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert not list(folder.glob(".*"))
