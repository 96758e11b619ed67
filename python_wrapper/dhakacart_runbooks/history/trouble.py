# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with the history's database, in one line that says where, what, and what helps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from ..errors import InfrastructureError
from .address import URL_VARIABLE, Address


@contextmanager
def speaking(address: Address) -> Iterator[None]:
    """An error of the database or the disk becomes an InfrastructureError of one line."""
    try:
        yield
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise translate(address, error) from error
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise InfrastructureError(_line(error), where=_where(address), remedy=elsewhere(address)) from error


def translate(address: Address, error: sa.exc.DBAPIError | sqlite3.Error) -> InfrastructureError:
    """What the driver said, and what helps."""
    said = _line(getattr(error, "orig", None) or error)
    remedy = _sqlite_remedy(address, said) if address.file else _postgresql_remedy(address, said)
    return InfrastructureError(said, where=_where(address), remedy=remedy)


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _where(address: Address) -> str:
    return f"history {address.shown}"


def elsewhere(address: Address) -> str:
    """The remedy when there is no better one."""
    if address.file:
        return f"make it readable and writable, or set {URL_VARIABLE} to another place"
    return f"make the server answer, or unset {URL_VARIABLE} to keep the history on this machine"


def _sqlite_remedy(address: Address, said: str) -> str:
    file = address.file
    if "not a database" in said or "malformed" in said or "no such table" in said or "no such column" in said:
        return f"it is damaged: mv {file} {file}.damaged (the next run begins a new one)"
    if "locked" in said:
        return f"another process keeps it locked for too long: fuser {file}"
    if "full" in said:
        return "make room on its disk: df -h, then runbook prune-history"
    if "already exists" in said:
        return f"it belongs to another program: set {URL_VARIABLE} to a file of its own"
    return elsewhere(address)


def _postgresql_remedy(address: Address, said: str) -> str:
    if "password" in said:
        return "put the password into ~/.pgpass (mode 0600) as host:port:database:user:password"
    if "permission denied" in said:
        return "GRANT the role CREATE on the schema, and ownership or all rights on the tables"
    if "already exists" in said or "does not exist" in said:
        return "give the history a database of its own: createdb"
    return elsewhere(address)
