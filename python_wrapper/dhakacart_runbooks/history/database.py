# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the history. Everything that waits has a deadline."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ..errors import InfrastructureError
from .address import URL_VARIABLE, Address
from .trouble import elsewhere, speaking

# For how long a writer waits for the others.
BUSY_SECONDS = 15
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 15
# The server keeps the deadline of a statement; this one is for a server that is frozen, and keeps none.
ANSWER_SECONDS = 20.0
# How a transaction on SQLite begins. A writer takes the lock at once, because one that has read first is refused
# without any waiting when somebody else wrote meanwhile.
_BEGIN = "sqlite_begin"


class Database:
    """An engine for one address. For SQLite the private file and folder are made.

    :raises InfrastructureError: the file cannot be made.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        if address.file is None:
            self.engine = self._postgresql(address.url)
        else:
            _make_file(address.file)
            self.engine = self._sqlite(address.file)
        self._writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @property
    def is_sqlite(self) -> bool:
        return self.address.file is not None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that reads. Raises InfrastructureError, as does ``write``."""
        with self._deadline(ANSWER_SECONDS), speaking(self.address), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, seconds: float | None = None) -> Iterator[sa.Connection]:
        """A transaction that writes; it is cut off when it takes longer than ``seconds``."""
        with self._deadline(seconds or ANSWER_SECONDS), speaking(self.address), self._writer.begin() as connection:
            yield connection

    def clock(self) -> sa.ColumnElement[float]:
        """The time of the database in epoch seconds: the machines of a team do not agree about the time."""
        if self.is_sqlite:
            return sa.literal(time.time(), sa.Double)
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Cut the connections to a server that is frozen."""
        if self.is_sqlite:
            yield
            return
        expired = threading.Event()

        def cut() -> None:
            expired.set()
            for connection in list(self._connections):
                with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as its:
                    its.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except InfrastructureError as error:
            if expired.is_set():
                raise InfrastructureError(
                    f"did not answer within {seconds:g} s",
                    where=f"history {self.address.shown}",
                    remedy=elsewhere(self.address),
                ) from error
            raise
        finally:
            timer.cancel()

    def _sqlite(self, file: Path) -> sa.Engine:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(file)),
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        )

        @sa.event.listens_for(engine, "connect")
        def settle(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA foreign_keys=ON")

        @sa.event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:
            # sqlite3 of Python 3.11 begins too late by itself: DDL would be outside of the transaction.
            connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

        return engine

    def _postgresql(self, url: str) -> sa.Engine:
        engine = sa.create_engine(
            url,
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,
            pool_timeout=CONNECT_SECONDS,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "dhakacart-runbooks",
                "prepare_threshold": None,  # works behind pgbouncer too
            },
        )

        @sa.event.listens_for(engine, "connect")
        def settle(connection: Any, _record: object) -> None:
            self._connections.add(connection)
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
            connection.commit()

        return engine


def _make_file(file: Path) -> None:
    folder = file.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise InfrastructureError(
            "is a file, not a folder", where=f"history {folder}", remedy=f"move it away, or set {URL_VARIABLE}"
        ) from None
    except OSError as error:
        raise InfrastructureError(
            f"cannot be written: {error.strerror}",
            where=f"history {file}",
            remedy="make its folder writable, or set DHAKACART_STATE_HOME to one that is",
        ) from error
