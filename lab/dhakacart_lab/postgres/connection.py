# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections straight to a node, by-passing the edge: the lab's own eyes."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import psycopg
from psycopg import sql

from ..layout import Address, LabError, Layout

User = Literal["admin", "app", "replication"]


def role_of(layout: Layout, user: str) -> tuple[str, str]:
    """(PostgreSQL role, name of its credential) of ``admin``, ``app``, ``replication`` or of a role's own name."""
    known = {
        "admin": (layout.admin_user, "db-admin"),
        "app": (layout.app_user, "db-app"),
        "replication": (layout.replication_user, "db-replication"),
    }
    for short, (role, credential) in known.items():
        if user in (short, role):
            return role, credential
    raise LabError(f"{user!r} is no database user of the lab; remedy: one of {', '.join(known)}")


def parameters(layout: Layout, address: Address, user: str, timeout: float, database: str | None) -> dict[str, Any]:
    """libpq parameters, the password among them: never log them."""
    role, credential = role_of(layout, user)
    return {
        "host": address.host,
        "port": address.port,
        "user": role,
        "password": layout.secret(credential),
        "dbname": database or layout.database,
        "connect_timeout": max(1, round(timeout)),
        "sslmode": "disable",
        "gssencmode": "disable",
        "application_name": "dhakacart-lab",
    }


def connect(
    layout: Layout,
    node: str,
    *,
    user: str = "admin",
    timeout: float = 3,
    autocommit: bool = True,
    database: str | None = None,
) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect to a node. Raises psycopg.OperationalError where it does not answer within ``timeout`` seconds."""
    return psycopg.connect(**parameters(layout, layout.nodes[node], user, timeout, database), autocommit=autocommit)


@contextlib.contextmanager
def deadline(connection: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """Cut the connection when the body is not done after ``seconds``; the body then raises OperationalError.

    statement_timeout is the server's promise, and a frozen server keeps none.
    """
    handle = socket.socket(fileno=os.dup(connection.fileno()))

    def cut() -> None:
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def query(
    layout: Layout,
    node: str,
    statement: str,
    values: Mapping[str, Any] | None = None,
    *,
    timeout: float = 3,
    database: str | None = None,
) -> list[tuple[Any, ...]]:
    """Run one statement as the admin user on a node, in at most about twice ``timeout`` seconds; its rows."""
    with connect(layout, node, timeout=timeout, database=database) as connection, deadline(connection, timeout):
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def set_password(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    """Set a role's password; only its SCRAM verifier crosses the wire, so no server log ever has the password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))
