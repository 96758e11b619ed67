# SPDX-License-Identifier: GPL-3.0-or-later
"""The databases: structure, settings, roles, who is in them, and the rows that customers do not change."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import psycopg
from psycopg import sql

from ..lab import Lab
from ..layout import LabError
from ..postgres.disk import Disk
from ..shop.schema import STOCK
from . import queries

DEADLINE = "8s"
# A server's own: its address and title, and the other server as seen from it.
OWN_SETTINGS = ("listen_addresses", "cluster_name", "primary_conninfo", "archive_command")
ROOM_PCT = 75  # of a disk in use
# What a server makes and removes in its folder by itself.
PASSING = frozenset(
    {
        "postmaster.pid",
        "postmaster.opts",
        "current_logfiles",
        "backup_label.old",
        "tablespace_map.old",
        "backup_manifest",
        "standby.signal",
        "promote",
        "pg_internal.init",
        "postgresql.conf",
    }
)
Connection = psycopg.Connection[tuple[Any, ...]]


def items(lab: Lab) -> dict[str, Any]:
    """Both servers and their disks; LabError where one cannot be asked."""
    primary, standby = lab.cluster.primary(), lab.cluster.standby()
    with lab.cluster.connect(primary.name) as connection:
        connection.execute(f"SET statement_timeout = '{DEADLINE}'; SET lock_timeout = '2s'".encode())
        found = {
            "primary": {
                **_server(connection),
                "replication": _column(connection, queries.FOLLOWERS),
                "replication slots": _pairs(connection, queries.SLOTS),
            },
            "database": structure(connection),
            "database roles": roles(lab, connection),
            "database rows": content(connection),
            "database sequences": _sequences(connection),
            "database sessions": _column(connection, queries.SESSIONS),
            "database transactions of more than 5 s": _column(connection, queries.LONG_TRANSACTIONS),
            "database locks": _column(connection, queries.ADVISORY),
            "prepared transactions": _pairs(connection, queries.PREPARED),
        }
    with lab.cluster.connect(standby.name) as connection:
        connection.execute(f"SET statement_timeout = '{DEADLINE}'".encode())
        found["standby"] = {**_server(connection), "replication slots": _pairs(connection, queries.SLOTS)}
    for role, node in (("primary", primary), ("standby", standby)):
        found[f"disk of the {role}"] = _disk(node.small_disk)
    return found


def structure(connection: Connection) -> dict[str, Any]:
    """Databases, schemas, extensions, relations, functions, and settings of roles and databases."""
    return {
        "databases": _pairs(connection, queries.DATABASES),
        "schema": _pairs(connection, queries.SCHEMAS),
        "extension": _pairs(connection, queries.EXTENSIONS),
        **_pairs(connection, queries.RELATIONS),
        "function": _pairs(connection, queries.FUNCTIONS),
        "set for": [f"{whose}: {setting}" for whose, setting in connection.execute(queries.ROLE_SETTINGS).fetchall()],
    }


def roles(lab: Lab, connection: Connection) -> dict[str, Any]:
    """Role -> its rights and whether its password is that of the lab's file; verifiers are salted anew every time."""
    layout = lab.layout
    known = {
        layout.admin_user: layout.secret("db-admin"),
        layout.app_user: layout.secret("db-app"),
        layout.replication_user: layout.secret("db-replication"),
    }
    return {
        name: f"{rights}, {_password(verifier, known.get(name))}"
        for name, rights, verifier in connection.execute(queries.ROLES.encode()).fetchall()
    }


def content(connection: Connection) -> dict[str, str]:
    """A digest of the rows of each table that customers do not change, and whether there is stock."""
    found = {}
    for table, columns in queries.CONTENT.items():
        query = sql.SQL("SELECT count(*), md5(coalesce(string_agg(({})::text, '|' ORDER BY r.id), '')) FROM {} AS r")
        row = connection.execute(query.format(sql.SQL(columns), sql.Identifier(table))).fetchone()
        found[table] = f"{row[0]} rows, digest {row[1][:12]}" if row else "no answer"
    (wrong,) = connection.execute(queries.STOCK.encode(), [STOCK]).fetchone() or (None,)
    return {**found, "stock": "as it may be" if wrong == 0 else f"of {wrong} products is absurd"}


def _server(connection: Connection) -> dict[str, Any]:
    recovering, paused, receiver = connection.execute(queries.FOLLOWING).fetchone() or (None, None, None)
    settings: dict[str, str] = dict(connection.execute(queries.SETTINGS).fetchall())
    return {
        "setting": {name: value for name, value in settings.items() if name not in OWN_SETTINGS},
        "ALTER SYSTEM": _pairs(connection, queries.OVERRIDES),
        "in recovery": recovering,
        "replay paused": paused,
        "receiver": receiver,
    }


def _sequences(connection: Connection) -> dict[str, str]:
    highest: dict[str, sql.SQL | sql.Composed] = {"public.order_number_seq": sql.SQL(queries.ORDER_NUMBERS)}
    for table, column, sequence in connection.execute(queries.SEQUENCES).fetchall():
        query = sql.SQL("SELECT coalesce(max({}), 0) FROM {}")
        highest[sequence] = query.format(sql.Identifier(column), sql.Identifier(table))
    found = {}
    for sequence, highest_used in highest.items():
        (used,) = connection.execute(highest_used).fetchone() or (0,)
        (last,) = connection.execute("SELECT pg_sequence_last_value(%s::regclass)", [sequence]).fetchone() or (None,)
        found[sequence] = "not behind its table" if (last or 0) >= used else f"at {last}, its table at {used}"
    return found


def _disk(disk: Disk) -> dict[str, Any]:
    """Its size, whether there is room, and what does not belong on it."""
    total, free = disk.usage()
    used = 100 * (total - free) / total
    data = disk.folder / "data"
    try:
        files = [entry.name for entry in disk.folder.iterdir()]
        files += [f"data/{entry.name}" for entry in data.iterdir() if entry.name not in PASSING]
    except OSError as error:
        raise LabError(f"{disk.folder}: cannot be read ({error.strerror}); remedy: runbook lab up") from None
    room = "enough" if used < ROOM_PCT or not disk.mounted else f"{used:.0f} % used"
    return {"mounted": disk.mounted, "bytes": total if disk.mounted else None, "room": room, "file": sorted(files)}


def _password(verifier: str | None, password: str | None) -> str:
    if verifier is None:
        return "no password"
    if password is None:
        return f"a password, digest {hashlib.sha256(verifier.encode()).hexdigest()[:12]}"
    return "the lab's password" if verifies(verifier, password) else "another password than the lab's"


def verifies(verifier: str, password: str) -> bool:
    """Whether a SCRAM-SHA-256 verifier of PostgreSQL was made of this password (RFC 5803)."""
    try:
        scheme, parameters, keys = verifier.split("$")
        rounds, salt = parameters.split(":")
        stored = base64.b64decode(keys.partition(":")[0])
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    except ValueError:
        return False
    client = hmac.digest(salted, b"Client Key", "sha256")
    return scheme == "SCRAM-SHA-256" and hmac.compare_digest(hashlib.sha256(client).digest(), stored)


def _pairs(connection: Connection, query: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in connection.execute(query.encode()).fetchall()}


def _column(connection: Connection, query: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(query.encode()).fetchall()]
