# SPDX-License-Identifier: BSD-2-Clause
"""One read-only connection to a PostgreSQL server, under deadlines. The only place that knows psycopg's errors."""

from __future__ import annotations

import math
import os
import re
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import reach
from ..core.errors import (
    ConfigurationError,
    Denied,
    Missing,
    NoAnswer,
    NotReady,
    Overloaded,
    ReadError,
    Refused,
    Unexpected,
)
from .arguments import Settings

if TYPE_CHECKING:
    import psycopg

APPLICATION_NAME = "dhakacart-runbooks"

# libpq gives no SQLSTATE for a login that fails, only the server's message.
_LOGIN_FAILURES: tuple[tuple[str, type[ReadError], str], ...] = (
    (
        r"too many clients|remaining connection slots|too many connections",
        Overloaded,
        "end idle sessions, then find who opened them",
    ),
    (
        r"authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
        r"|role \".*\" does not exist|permission denied for database",
        Denied,
        "check the user and the password file",
    ),
    (
        r"is starting up|is shutting down|in recovery mode|not yet accepting|not accepting connections"
        r"|recovery state has not yet",
        NotReady,
        "wait for recovery, read the server's log",
    ),
    (r"database \".*\" does not exist", Missing, "check dhakacart_db_name"),
    (r"timeout expired|timed out", NoAnswer, "the process is frozen or overloaded: check its host"),
    (r"connection refused", Refused, "is the server running?"),
    (
        r"server closed the connection|connection reset|EOF detected|consuming input failed",
        Refused,
        "the server, or a proxy before it, hung up: is the server running?",
    ),
    (r"SSL|certificate", Unexpected, "check sslmode and the certificate"),
)

_SQLSTATE_KINDS: dict[str, type[ReadError]] = {
    "28P01": Denied,
    "28000": Denied,
    "42501": Denied,
    "53300": Overloaded,
    "57P01": NotReady,
    "57P02": NotReady,
    "57P03": NotReady,
    "57014": NoAnswer,
    "55P03": NoAnswer,
    "3D000": Missing,
    "42P01": Missing,
    "42883": Missing,
    "42703": Missing,
}


@dataclass(frozen=True)
class Server:
    """An open connection, and how it was reached."""

    connection: psycopg.Connection[dict[str, Any]]
    endpoint: str
    reached: reach.Reached
    _expired: threading.Event

    def query(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """The rows of one statement; the statement must give JSON-clean columns.

        :raises ReadError: with the kind; after NoAnswer or Refused the connection is of no more use.
        """
        import psycopg

        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql.encode(), parameters or None)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise self._read_error(error) from error

    def _read_error(self, error: psycopg.Error) -> ReadError:
        if self._expired.is_set():
            return NoAnswer("stopped answering", where=self.endpoint, remedy="check the server's host and load")
        kind = _SQLSTATE_KINDS.get(error.sqlstate or "", Unexpected)
        if error.sqlstate is None and self.connection.broken:
            kind = Refused
        return kind(_first_line(error), where=self.endpoint)


@contextmanager
def connect(settings: Settings, host: str, port: int) -> Iterator[Server]:
    """A session in autocommit mode that is closed, or cut when it outlives its deadline, at the end of the block.

    The TCP probe comes first: it alone tells a dead network (NoRoute) from a server that does not answer (NoAnswer).

    :raises ConfigurationError: psycopg or the password file is missing.
    :raises ReadError: the server cannot be used; ``kind`` says why.
    """
    psycopg = _driver()
    _check_passfile(settings.passfile)
    endpoint = f"{host}:{port}"
    reached = reach.probe(host, port, settings.timeout)
    try:
        connection = psycopg.connect(
            host=host,
            hostaddr=reached.address,
            port=port,
            dbname=settings.dbname,
            user=settings.user,
            passfile=settings.passfile or None,
            sslmode=settings.sslmode,
            connect_timeout=math.ceil(settings.timeout),
            application_name=APPLICATION_NAME,
            options="-c TimeZone=UTC -c DateStyle=ISO",
            autocommit=True,
            row_factory=psycopg.rows.dict_row,
        )
    except psycopg.Error as error:
        raise login_error(_first_line(error), endpoint, settings.timeout) from error
    expired = threading.Event()
    # A frozen server keeps the socket open for ever and psycopg waits without a deadline: cutting the socket wakes it.
    watchdog = threading.Timer(settings.timeout, _cut, (connection.fileno(), expired))
    watchdog.daemon = True
    watchdog.start()
    try:
        yield Server(connection, endpoint, reached, expired)
    finally:
        watchdog.cancel()
        watchdog.join()
        connection.close()


def guard(server: Server, settings: Settings) -> None:
    """Makes the session read-only and bounds its statements; the server's own values must be read before."""
    milliseconds = int(settings.timeout * 500)
    server.query(
        "SELECT set_config('default_transaction_read_only', 'on', false),"
        f" set_config('statement_timeout', '{milliseconds}', false),"
        f" set_config('lock_timeout', '{milliseconds}', false)"
    )


def login_error(message: str, endpoint: str, timeout: float) -> ReadError:
    """The kind of failure that the message of a failed login means."""
    for pattern, kind, remedy in _LOGIN_FAILURES:
        if re.search(pattern, message, re.IGNORECASE):
            if kind is NoAnswer:
                message = f"TCP connects, but no PostgreSQL answer in {timeout:g} s"
            return kind(message, where=endpoint, remedy=remedy)
    return Unexpected(message, where=endpoint, remedy="read the server's log")


def _driver() -> Any:
    try:
        import psycopg
        import psycopg.rows
    except ImportError as error:
        raise ConfigurationError(
            f"the Python library psycopg (version 3) is missing ({error})",
            where="postgresql",
            remedy="install psycopg[binary] for the interpreter that runs the checks",
        ) from error
    return psycopg


def _check_passfile(passfile: str) -> None:
    """libpq ignores a missing or readable-to-others password file and then fails with a misleading message."""
    if not passfile:
        return
    try:
        mode = Path(passfile).stat().st_mode
        content = Path(passfile).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ConfigurationError(
            f"password file is not readable: {reason}", where=passfile, remedy="set dhakacart_db_passfile"
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            "password file is accessible to others, so libpq ignores it", where=passfile, remedy=f"chmod 600 {passfile}"
        )
    lines = [line for line in content.splitlines() if line.strip() and not line.startswith("#")]
    if not lines or any(len(re.split(r"(?<!\\):", line)) != 5 for line in lines):
        raise ConfigurationError(
            "password file is malformed", where=passfile, remedy="one line a server: host:port:database:user:password"
        )


def _cut(descriptor: int, expired: threading.Event) -> None:
    expired.set()
    try:
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed meanwhile: nothing waits on it


def _first_line(error: Exception) -> str:
    """The telling line of a driver message: PostgreSQL's own, without the prefix that repeats the address."""
    text = str(error).strip()
    if match := re.search(r"FATAL:\s+(.+)", text):
        return match.group(1).strip()
    line = text.splitlines()[0] if text else type(error).__name__
    return re.sub(r"^connection failed: ", "", line).strip()
