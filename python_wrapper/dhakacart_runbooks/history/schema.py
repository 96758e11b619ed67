# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the tables to the newest revision. Alembic is only imported when there is something to do."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from ..errors import InfrastructureError
from .address import Address
from .database import Database
from .trouble import speaking

# Not Alembic's own name: another program in the same database may use that.
VERSION_TABLE = "history_version"
REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]
MIGRATIONS = Path(__file__).with_name("migrations")
LOCK_SECONDS = 30
UPGRADE_SECONDS = 120
_ADVISORY = 0x64686B_68697374  # "dhk" "hist": one key for this purpose


def ensure_current(database: Database) -> None:
    """Upgrade where needed; many processes may do so at once.

    :raises InfrastructureError: the database was written by a newer version, or somebody holds the lock for too long.
    """
    address = database.address
    with database.read() as connection:
        if _is_current(_revision(connection), address):
            return
    with speaking(address), _one_at_a_time(address):
        if address.file:
            _use_wal(address.file)
        with database.write(UPGRADE_SECONDS) as connection:
            if not address.file:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{UPGRADE_SECONDS}s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY})")
            if not _is_current(_revision(connection), address):
                upgrade(connection, HEAD)


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Run the migrations up to ``revision`` in the transaction of this connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _use_wal(file: Path) -> None:
    """Readers and a writer then do not wait for each other. It stays so; it cannot be done in a transaction."""
    with closing(sqlite3.connect(file, timeout=LOCK_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _is_current(found: str | None, address: Address) -> bool:
    if found is not None and found not in REVISIONS:
        raise InfrastructureError(
            f"was written by a newer version of this program (schema {found}; this one knows {HEAD})",
            where=f"history {address.shown}",
            remedy="upgrade dhakacart-runbooks: pip install --upgrade dhakacart-runbooks",
        )
    return found == HEAD


def _revision(connection: sa.Connection) -> str | None:
    """The stored revision; None for a database without one."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return None if found is None else str(found)


@contextmanager
def _one_at_a_time(address: Address) -> Iterator[None]:
    """For SQLite a lock beside the file, held by the kernel: it is gone with its process."""
    if address.file is None:
        yield
        return
    path = address.file.with_name(f"{address.file.name}.lock")
    with path.open("a") as file:
        path.chmod(0o600)
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise InfrastructureError(
                        f"another process has been upgrading it for {LOCK_SECONDS} s",
                        where=f"history {address.shown}",
                        remedy=f"wait for it, or look who it is: fuser {path}",
                    ) from None
                time.sleep(0.05)
        yield
