# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of the WAL archive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dhakacart_lab.layout import Layout
from dhakacart_lab.postgres import backups as module
from dhakacart_lab.postgres.account import Account
from dhakacart_lab.postgres.backups import Backups

LABEL = "START WAL LOCATION: 0/{0}000028 (file 0000000{1}00000000000000{0})\nCHECKPOINT LOCATION: 0/B000060\n"


def test_wal_older_than_the_oldest_kept_backup_goes_whatever_its_timeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP", 2)
    backups = Backups(
        Layout(name="t", folder=tmp_path, subnet=77, lab_id="t-1"),
        Account("me", os.getuid(), os.getgid(), switch=False),
    )
    backups.prepare()
    archive = tmp_path / "postgres" / "archive"
    for name in (
        "1000000000000000A",
        "2000000000000000B",
        "1000000000000000C",
        "2000000000000000C",
        "2000000000000000F",
    ):
        (archive / f"0000000{name}.gz").touch()
    (archive / "00000002.history.gz").touch()
    (archive / "00000001000000000000000B.00000028.backup.gz").touch()
    for position, timeline in (("0B", 1), ("0C", 2), ("0E", 2)):
        data = tmp_path / "data"
        data.mkdir()
        (data / "backup_label").write_text(LABEL.format(position, timeline))
        backups.add(data, move=True)
    assert len(backups.all()) == 2
    assert sorted(file.name for file in archive.iterdir()) == [
        "00000001000000000000000C.gz",
        "00000002.history.gz",
        "00000002000000000000000C.gz",
        "00000002000000000000000F.gz",
    ]
