# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the history is, and what of that may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.history.address import Address


def test_without_a_word_it_is_a_file_in_the_state_folder(home: Path) -> None:
    address = Address.find()
    assert address.file == home / "history.db"
    assert address.url == ""


def test_the_environment_names_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAKACART_HISTORY_URL", "postgresql://runbook@db.example:6432/history?sslmode=verify-full")
    address = Address.find()
    assert address.url == "postgresql+psycopg://runbook@db.example:6432/history?sslmode=verify-full"
    assert address.shown == "db.example:6432/history"
    assert address.file is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_name_of_postgresql_is_understood(scheme: str) -> None:
    assert Address.find(f"{scheme}://u@h/d").url == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////srv/a%20b/history.db", "/srv/a b/history.db"),
        ("sqlite:///here.db", "here.db"),
        ("/srv/x.db", "/srv/x.db"),
    ],
)
def test_a_file_is_named_by_path_or_url(url: str, file: str) -> None:
    assert Address.find(url).file == Path(file)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@h/d",
        "postgresql://u:s3c/ret@h/d",
        "postgresql://u:s3c?ret@h/d",
        "postgresql://u:s3c#ret@h/d",
        "postgresql://u:s3c[ret@h/d",
        "postgresql://u@h/d?password=s3cret",
        "mysql://u:s3cret@h/d",
    ],
)
def test_a_password_in_the_url_is_refused_and_never_repeated(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        Address.find(url)
    assert "s3c" not in str(refused.value)
    assert "ret@" not in str(refused.value)


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite://", "sqlite:///", "postgresql://h", "postgresql://h:x/d"])
def test_what_is_no_history_is_refused_with_the_forms_that_are(url: str) -> None:
    with pytest.raises(UsageError, match="postgresql://<user>@<host>/<database>"):
        Address.find(url)


def test_two_servers_do_not_share_a_spool() -> None:
    assert Address.find("postgresql://u@a/d").spool != Address.find("postgresql://u@b/d").spool
