# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's way to PostgreSQL: a pool, deadlines, and retries that cannot place an order twice.

Rules of the platform kept: at most ``DB_POOL_MAX`` connections, opened when needed, closed after 30 s idle, 5 s to
connect, three tries 1 s apart. Left out: the 7500 uses of a client (the pool has no such counter).
Changed: the platform retries writes too, so that a commit whose answer was lost places the order a second time. Here a
read is retried; a write only while it has not begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from .settings import Settings

T = TypeVar("T")
Connection = AsyncConnection[DictRow]
Work = Callable[[Connection], Awaitable[T]]

CONNECT_TIMEOUT = 5
IDLE_SECONDS = 30.0
TRIES = 3
RETRY_BASE = 1.0
# Under the 5 s after which impatient clients leave, so that they get an answer and not only a silence.
REQUEST_DEADLINE = 4.0
READY_DEADLINE = 2.0
CANCEL_SECONDS = 0.5
ENDED = "Cannot use a pool after calling end on the pool"

log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """The work was not done. The message is the driver's text, without a password."""


class ConnectionLost(DatabaseUnavailable):
    """The connection broke, so that its siblings in the pool are suspect too."""


class OutcomeUnknown(Exception):
    """The answer to COMMIT did not come: the work may or may not have been done."""


class Database:
    """A pool of connections to one PostgreSQL; every method ends within its deadline, whatever the server does."""

    def __init__(self, settings: Settings) -> None:
        self._password = settings.db_password
        self._lent = 0
        self._last_failure = ""
        self._failure: asyncio.Future[None] | None = None
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            kwargs={
                "host": settings.db_host,
                "port": settings.db_port,
                "dbname": settings.db_name,
                "user": settings.db_user,
                "password": settings.db_password,
                "connect_timeout": CONNECT_TIMEOUT,
                "application_name": "dhakacart-backend",
                "autocommit": True,
                "row_factory": dict_row,
            },
            connection_class=_reporting(self._connected),
            name="shop",
            open=False,
            min_size=1,
            max_size=settings.db_pool_max,
            max_idle=IDLE_SECONDS,
            # The pool would wait longer and longer between its own attempts to reconnect and be late when the
            # database is back. It gives up at once instead, and the next request makes it try again.
            reconnect_timeout=0,
            # Attempts that hang on a frozen server must not queue in front of one that would succeed.
            num_workers=settings.db_pool_max,
        )

    async def open(self, timeout: float = CONNECT_TIMEOUT) -> None:
        """Connect once; raises DatabaseUnavailable where that does not succeed within ``timeout`` seconds."""
        end = _now() + timeout
        await self._pool.open()
        while True:
            try:
                await self.ping(end - _now())
                return
            except DatabaseUnavailable:
                if _now() + 0.5 > end:
                    raise
                await asyncio.sleep(0.5)

    async def close(self) -> None:
        """Close the pool for good; all later work fails with ENDED."""
        await self._pool.close(timeout=1.0)

    def stats(self) -> dict[str, int]:
        """``total``, ``idle`` and ``waiting``: open connections, unused ones, requests that wait for one."""
        found = self._pool.get_stats()
        idle = found.get("pool_available", 0)
        # Not the pool's own size: that counts connections which are still being opened.
        return {"total": self._lent + idle, "idle": idle, "waiting": found.get("requests_waiting", 0)}

    async def ping(self, deadline: float = READY_DEADLINE) -> None:
        """SELECT 1 within ``deadline`` seconds. A stale connection after a restart of the database is not held
        against it: the second try has a new one."""
        end = _now() + deadline

        async def select(connection: Connection) -> None:
            await connection.execute("SELECT 1")

        try:
            await self._once(select, end)
        except ConnectionLost:
            if end - _now() < 2 * CANCEL_SECONDS:  # the deadline passed: the server is silent, not the connection stale
                raise
            await self._once(select, end)

    async def read(self, work: Work[T]) -> T:
        """The result of ``work``, which only reads; up to three tries within the request's deadline."""
        end = _now() + REQUEST_DEADLINE
        return await self._retry(lambda: self._once(work, end), end)

    async def write(self, work: Work[T]) -> T:
        """The result of ``work`` in one transaction, done at most once.

        Raises DatabaseUnavailable when it was certainly not done, OutcomeUnknown when that cannot be known.
        """
        end = _now() + REQUEST_DEADLINE

        async def begin() -> Connection:
            connection = await self._acquire(end)
            try:
                await self._bounded(connection, connection.execute("BEGIN"), end)
            except BaseException:
                await self._release(connection)
                raise
            return connection

        connection = await self._retry(begin, end)
        try:
            try:
                result = await self._bounded(connection, work(connection), end)
            except BaseException:
                if not connection.closed:
                    await self._bounded(connection, connection.execute("ROLLBACK"), _now() + 2 * CANCEL_SECONDS)
                raise
            await self._commit(connection, end)
            return result
        finally:
            await self._release(connection)

    async def _commit(self, connection: Connection, end: float) -> None:
        try:
            # Never cancelled: a cancelled wait for the synchronous standby is reported as success by PostgreSQL.
            await self._bounded(connection, connection.execute("COMMIT"), end, cancel=False)
        except DatabaseUnavailable as error:
            raise OutcomeUnknown(f"no answer to COMMIT: {error}") from error

    async def _retry(self, attempt: Callable[[], Awaitable[T]], end: float) -> T:
        for number in range(1, TRIES):
            try:
                return await attempt()
            except DatabaseUnavailable as error:
                # Where a sibling was stale the next connection is new, and there is nothing to wait for.
                pause = 0.0 if isinstance(error, ConnectionLost) and number == 1 else RETRY_BASE * number
                if self._pool.closed or _now() + pause >= end:
                    raise
                log.warning("database query failed, attempt %d of %d", number, TRIES, extra={"error": str(error)})
                await asyncio.sleep(pause)
        return await attempt()

    async def _once(self, work: Work[T], end: float) -> T:
        connection = await self._acquire(end)
        try:
            return await self._bounded(connection, work(connection), end)
        finally:
            await self._release(connection)

    async def _acquire(self, end: float) -> Connection:
        """A connection from the pool; fails as soon as connecting fails, as node-pg does, with the driver's words.

        Cancelled only when the process ends, so that a connection lent at that moment is not given back.
        """
        if self._pool.closed:
            raise DatabaseUnavailable(ENDED)
        if self._failure is None or self._failure.done():  # one event for all that wait for the next failure
            self._failure = asyncio.get_running_loop().create_future()
        getting = asyncio.ensure_future(self._pool.getconn(timeout=max(end - _now() - CANCEL_SECONDS, 0.1)))
        try:
            events: set[asyncio.Future[Any]] = {getting, self._failure}
            await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                getting.cancel()
            connection = await getting
            self._lent += 1
            return connection
        except asyncio.CancelledError:
            if getting.cancelled():
                raise DatabaseUnavailable(self._last_failure) from None
            getting.cancel()
            raise
        except PoolClosed:
            raise DatabaseUnavailable(ENDED) from None
        except PoolTimeout as error:
            raise DatabaseUnavailable(f"{error}{': ' if self._last_failure else ''}{self._last_failure}") from None

    async def _release(self, connection: Connection) -> None:
        lost = connection.closed
        self._lent -= 1
        await self._pool.putconn(connection)
        if lost and not self._pool.closed:
            await self._pool.drain()

    async def _bounded(self, connection: Connection, work: Awaitable[T], end: float, *, cancel: bool = True) -> T:
        """``work`` on ``connection``, ended CANCEL_SECONDS before ``end`` so that the answer is in time."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=max(end - _now() - CANCEL_SECONDS, 0.05))
            if not task.done():
                await _abandon(connection, task, cancel=cancel)
                kind = ConnectionLost if connection.closed else DatabaseUnavailable
                raise kind("no answer from the database within the deadline")
            return task.result()
        except asyncio.CancelledError:
            await _abandon(connection, task, cancel=False)
            raise
        except psycopg.OperationalError as error:
            kind = ConnectionLost if connection.closed else DatabaseUnavailable
            raise kind(self._text(error)) from error

    def _connected(self, error: psycopg.Error | None) -> None:
        """Told by each attempt to connect how it ended; fails the requests that wait for it."""
        text = self._text(error) if error else ""
        if text and text != self._last_failure:
            log.error("Database connection failed", extra={"error": text})
        elif self._last_failure and not text:
            log.info("Database connection restored")
        self._last_failure = text
        if error and self._failure and not self._failure.done():
            self._failure.set_result(None)

    def _text(self, error: Exception) -> str:
        """The driver's words on one line; the password cannot be in them, and is taken out all the same."""
        return " ".join(str(error).split()).replace(self._password, "***") or type(error).__name__


def _reporting(report: Callable[[psycopg.Error | None], None]) -> type[Connection]:
    """A connection class that reports how connecting ended; the pool only logs it."""

    class ReportingConnection(AsyncConnection[Any]):
        @classmethod
        async def connect(cls, conninfo: str = "", **kwargs: Any) -> ReportingConnection:
            try:
                connection = await super().connect(conninfo, **kwargs)
            except psycopg.Error as error:
                report(error)
                raise
            report(None)
            return connection

    return ReportingConnection


async def _abandon(connection: Connection, task: asyncio.Future[Any], *, cancel: bool) -> None:
    """End ``task``: ask the server to cancel the query and, where that is not heard, cut the connection.

    Cancelling the task would make the driver wait up to 10 s for a frozen server; cutting its socket ends it at once.
    """
    if cancel:
        with contextlib.suppress(psycopg.Error):
            await connection.cancel_safe(timeout=CANCEL_SECONDS)
            await asyncio.wait({task}, timeout=0.1)
    if not task.done():
        with (
            contextlib.suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(connection.pgconn.socket)) as tcp,
        ):
            tcp.shutdown(socket.SHUT_RDWR)
        await asyncio.wait({task}, timeout=1.0)
        await connection.close()
    if task.done() and not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not report it as forgotten


def _now() -> float:
    return asyncio.get_running_loop().time()
