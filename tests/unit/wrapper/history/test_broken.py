# SPDX-License-Identifier: GPL-3.0-or-later
"""A history that cannot be used is said in one line: where, what, and what to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.history import History, RunRow
from dhakacart_runbooks.history import database as database_module


def refusal(url: str | None = None) -> str:
    with pytest.raises(InfrastructureError) as refused:
        History.open(url)
    said = str(refused.value)
    assert "\n" not in said
    assert "; remedy: " in said
    return said


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 256 KiB; needs the right to mount."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no right to mount a filesystem here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_file_that_is_no_database(home: Path) -> None:
    home.mkdir()
    (home / "history.db").write_bytes(b"this was once a history " * 400)
    said = refusal()
    assert str(home / "history.db") in said
    assert "not a database" in said
    assert "mv " in said


def test_a_database_whose_middle_is_damaged(home: Path, history: History, make_run: Callable[..., RunRow]) -> None:
    for number in range(200):
        history.record(make_run(f"r{number}", message="x" * 200))
    history.close()
    with sqlite3.connect(home / "history.db") as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (home / "history.db").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    said = refusal()
    assert str(home / "history.db") in said
    assert "mv " in said


def test_a_database_that_has_lost_a_table(home: Path, history: History) -> None:
    with sqlite3.connect(home / "history.db") as raw:
        raw.execute("DROP TABLE runs")
    said = refusal()
    assert "no such table: runs" in said
    assert "mv " in said


def test_a_database_of_another_program(home: Path) -> None:
    home.mkdir()
    with sqlite3.connect(home / "history.db") as raw:
        raw.execute("CREATE TABLE runs (distance INTEGER)")
    assert "belongs to another program" in refusal()


def test_a_folder_in_the_place_of_the_file(home: Path) -> None:
    (home / "history.db").mkdir(parents=True)
    assert str(home / "history.db") in refusal()


def test_a_file_in_the_place_of_the_folder(home: Path) -> None:
    home.write_text("")
    said = refusal()
    assert f"{home}: is a file, not a folder" in said


def test_a_folder_below_a_file(home: Path) -> None:
    home.write_text("")
    assert "cannot be written: Not a directory" in refusal(str(home / "below" / "history.db"))


def test_a_place_that_takes_no_files() -> None:
    said = refusal("/proc/history.db")
    assert "/proc/history.db: cannot be written" in said
    assert "DHAKACART_STATE_HOME" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into every folder")
def test_a_folder_of_somebody_else(home: Path) -> None:
    home.mkdir(mode=0o500)
    assert "cannot be written: Permission denied" in refusal()


def test_a_disk_that_became_read_only(tiny_disk: Path) -> None:
    file = tiny_disk / "history.db"
    History.open(str(file)).close()
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    said = refusal(str(file))
    assert f"{file}: cannot be written: Read-only file system" in said


def test_a_full_disk(tiny_disk: Path, make_run: Callable[..., RunRow]) -> None:
    file = tiny_disk / "history.db"
    with History.open(str(file)) as history:
        history.record(make_run("before"))
        with pytest.raises(InfrastructureError) as refused:
            for number in range(100):
                history.record(make_run(f"r{number}", message="x" * 20_000))
        assert str(file) in str(refused.value)
        assert "df -h" in str(refused.value)
        assert history.run("before").id == "before"


def test_a_database_that_somebody_keeps_locked(
    home: Path, history: History, make_run: Callable[..., RunRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.2)
    with sqlite3.connect(home / "history.db", isolation_level=None) as raw:
        raw.execute("BEGIN IMMEDIATE")
        with History.open() as other, pytest.raises(InfrastructureError, match=r"locked.*fuser"):
            other.record(make_run("a"))
