# SPDX-License-Identifier: GPL-3.0-or-later
"""A primary from nothing: initdb, roles, database, password files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ..layout import Layout
from .account import Account
from .backups import Backups
from .connection import connect, deadline, set_password
from .node import Node
from .settings import REPLICATION_PASSFILE

INITDB_TIMEOUT = 60.0


def initialise(node: Node, backups: Backups) -> None:
    """Make ``node`` a running server without the lab's roles and database; ``ensure_roles`` makes those."""
    layout, account = node.layout, node.account
    node.remove()
    account.make_folder(node.data)
    password_file = node.home / ".initdb-password"
    account.write(password_file, layout.secret("db-admin") + "\n")
    try:
        argv: list[str | Path] = [
            node.binaries.path("initdb"), "--pgdata", node.data, "--username", layout.admin_user,
            "--pwfile", password_file, "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale",
            "--wal-segsize", "1", "--no-sync",
        ]  # fmt: skip
        account.run(layout, argv, timeout=INITDB_TIMEOUT)
    finally:
        password_file.unlink()
    node.configure(archive_command=backups.archive_command)
    node.synchronous_with("")
    node.start()


def ensure_roles(layout: Layout, primary: Node) -> None:
    """The roles with the passwords of the credential files, the database, its extension and settings; rows stay."""
    with connect(layout, primary.name, database="postgres") as connection, deadline(connection, 20):
        connection.execute("SET synchronous_commit = local")  # the standby may be what is being repaired
        found = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role, options, credential in (
            (layout.app_user, "LOGIN", "db-app"),
            (layout.replication_user, "LOGIN REPLICATION", "db-replication"),
        ):
            if role not in found:
                connection.execute(sql.SQL(f"CREATE ROLE {{}} {options}").format(sql.Identifier(role)))
            set_password(connection, role, layout.secret(credential))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (layout.database,)).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(layout.database), sql.Identifier(layout.app_user)
                )
            )
        _settings_of_database(connection, layout)
    for extension in sorted(primary.binaries.features):
        with connect(layout, primary.name) as connection, deadline(connection, 20):
            connection.execute("SET synchronous_commit = local")
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))


def _settings_of_database(connection: psycopg.Connection[Any], layout: Layout) -> None:
    """The database says what it is, and nothing else is set for databases or roles."""
    wanted = sorted(f"dhakacart.{word}={value}" for word, value in layout.identity.items())
    found = connection.execute(
        "SELECT coalesce(datname, ''), coalesce(rolname, ''), setconfig FROM pg_db_role_setting"
        " LEFT JOIN pg_database AS d ON d.oid = setdatabase LEFT JOIN pg_roles AS r ON r.oid = setrole"
    ).fetchall()
    if [(base, role, sorted(held)) for base, role, held in found] == [(layout.database, "", wanted)]:
        return
    database = sql.Identifier(layout.database)
    for base, role, _held in found:
        whose = sql.SQL("ROLE {}").format(sql.Identifier(role)) if role else sql.SQL("ROLE ALL")
        place = sql.SQL("IN DATABASE {}").format(sql.Identifier(base)) if base else sql.SQL("")
        statement = sql.SQL("ALTER {} {} RESET ALL").format(whose, place)
        connection.execute(
            statement if role or not base else sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(base))
        )
    for word, value in layout.identity.items():
        setting = sql.SQL("ALTER DATABASE {} SET {} = {}")
        connection.execute(setting.format(database, sql.Identifier("dhakacart", word), sql.Literal(value)))


def write_password_files(layout: Layout, account: Account) -> None:
    """libpq password files: the admin's for runbooks, and the replication user's for the servers."""
    addresses = [*layout.endpoints.values(), *layout.nodes.values()]
    admin, replicator = layout.secret("db-admin"), layout.secret("db-replication")
    lines = [f"{where.host}:{where.port}:*:{layout.admin_user}:{admin}" for where in addresses]
    # Programs through a tunnel dial another host name.
    lines.append(f"*:*:*:{layout.admin_user}:{admin}")
    draft = layout.pgpass.with_name(".pgpass.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    draft.replace(layout.pgpass)
    account.write(layout.folder / REPLICATION_PASSFILE, f"*:*:*:{layout.replication_user}:{replicator}\n")
