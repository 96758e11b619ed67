# SPDX-License-Identifier: GPL-3.0-or-later
"""The private folder: nobody else's, and no secret is ever in a file of it."""

from __future__ import annotations

import json
import os
import stat
import uuid
from pathlib import Path

import pytest
from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.launcher.folder import PrivateFolder


@pytest.fixture
def folder(tmp_path: Path) -> PrivateFolder:
    made = PrivateFolder(tmp_path, str(uuid.uuid4()))
    made.make()
    return made


def test_only_its_owner_may_look_into_it(folder: PrivateFolder) -> None:
    path = folder.write("variables.json", {"a": 1})
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}


def test_what_is_offered_is_read_once_and_stands_in_no_file(folder: PrivateFolder) -> None:
    path = folder.offer("environment", {"PGPASSWORD": "hunter2\nline two"}, {"hunter2\nline two": "(token)"})
    assert stat.S_ISFIFO(path.stat().st_mode)
    with path.open(encoding="utf-8") as file:
        assert json.loads(file.readline()) == {
            "environment": {"PGPASSWORD": "hunter2\nline two"},
            "tokens": {"hunter2\nline two": "(token)"},
        }
    again = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        os.read(again, 1)
    os.close(again)


def test_an_environment_that_is_too_large_is_refused_by_the_name_of_its_largest_variable(folder: PrivateFolder) -> None:
    with pytest.raises(InfrastructureError, match="unset the largest of them: B"):
        folder.offer("environment", {"A": "x", "B": "y" * 70_000}, {})


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="cannot be written"):
        PrivateFolder(tmp_path / "nowhere", "x").make()


def test_removing_it_twice_is_no_error(folder: PrivateFolder) -> None:
    folder.write("variables.json", {})
    folder.remove()
    folder.remove()
    assert not folder.path.exists()
