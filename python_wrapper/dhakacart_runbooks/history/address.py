# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the history is kept. Read without SQLAlchemy, so that a run knows it at once."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from ..errors import UsageError
from ..paths import expanded, state_home

URL_VARIABLE = "DHAKACART_HISTORY_URL"
FILE = "history.db"
_POSTGRESQL = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_FORMS = "sqlite:////<folder>/history.db or postgresql://<user>@<host>/<database>"


@dataclass(frozen=True)
class Address:
    """Where the history is.

    :param file: the SQLite file; None for PostgreSQL.
    :param url: for SQLAlchemy; empty for SQLite. It carries no password.
    :param shown: how people are told of it.
    :param spool: the folder in which runs wait that could not be entered.
    """

    file: Path | None
    url: str
    shown: str
    spool: Path

    @classmethod
    def find(cls, url: str | None = None) -> Address:
        """From a URL or a path, else ``DHAKACART_HISTORY_URL``, else the file in the state folder.

        :raises UsageError: not an address this program can use; the URL itself is not repeated, a secret may be in it.
        """
        source = "history URL" if url else URL_VARIABLE
        chosen = (url or os.environ.get(URL_VARIABLE) or "").strip()
        if not chosen:
            return _sqlite(state_home() / FILE)
        if "://" not in chosen:
            return _sqlite(_at_home(chosen, source))
        scheme, _, rest = chosen.partition("://")
        if scheme == "sqlite":
            if not rest.startswith("/") or rest in ("/", "//"):
                raise UsageError("names no file", where=source, remedy=f"write {_FORMS}")
            return _sqlite(_at_home(unquote(rest[1:]), source))
        if scheme in _POSTGRESQL:
            return _postgresql(rest, source)
        raise UsageError("is neither SQLite nor PostgreSQL", where=source, remedy=f"write {_FORMS}")


def _at_home(text: str, source: str) -> Path:
    file = expanded(text)
    if file.parts[0].startswith("~"):  # it would make a folder of this name here
        raise UsageError(f"no home folder of {text!r}", where=source, remedy="write the whole path")
    return file


def _sqlite(file: Path) -> Address:
    return Address(file=file, url="", shown=str(file), spool=file.with_name(f"{file.name}.spool"))


def _postgresql(rest: str, source: str) -> Address:
    try:
        parts = urlsplit(f"postgresql://{rest}")
        host, port, password = parts.hostname or "", parts.port, parts.password
    except ValueError:
        raise UsageError("is malformed", where=source, remedy=f"write {_FORMS}") from None
    query = parse_qs(parts.query)
    if password is not None or "password" in query or "@" in parts.path:
        raise UsageError(
            "carries a password, which every process of this user could read",
            where=source,
            remedy="leave it out and put it into ~/.pgpass (mode 0600) as host:port:database:user:password",
        )
    database = unquote(parts.path.strip("/"))
    if not database:
        raise UsageError("names no database", where=source, remedy=f"write {_FORMS}")
    host = (query.get("host") or [host])[0] or os.environ.get("PGHOST") or "local socket"
    shown = f"{host}:{port or (query.get('port') or ['5432'])[0]}/{database}"
    mark = hashlib.sha256(f"{parts.username}@{shown}".encode()).hexdigest()[:12]
    return Address(
        file=None, url=f"postgresql+psycopg://{rest}", shown=shown, spool=state_home() / f"history-{mark}.spool"
    )
