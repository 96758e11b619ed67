# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is, as digests: equal before and after means that nothing was changed.

Stricter than :mod:`.residue`, with which it shares the reading: an object that was made anew, a rollout that was
undone, an order or a swap of the servers' roles is a change, too. Orders move, so the shopper has to be still
between two digests that are compared.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from psycopg import sql

from . import edge
from .kubernetes.kinds import KINDS
from .lab import Lab
from .residue import database, kubernetes, queries


def digest(lab: Lab) -> dict[str, str]:
    """One digest for each of ``database``, ``kubernetes``, ``aws`` and ``lab``; LabError when a part cannot be read."""
    return {
        "database": _of(_database(lab)),
        "kubernetes": _of(_kubernetes(lab)),
        "aws": _of(lab.aws.facts_digest()),
        "lab": _of({"roles": lab.cluster.roles(), "endpoints": _endpoints(lab)}),
    }


def _of(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _database(lab: Lab) -> dict[str, Any]:
    """Every row of every table, the structure, every role, and every setting that somebody made."""
    found: dict[str, Any] = {}
    with lab.cluster.connect() as connection:
        connection.execute("set statement_timeout = '20s'")  # somebody may hold a lock
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("select count(*), md5(coalesce(string_agg(r::text, '|' order by r::text), '')) from {} r")
            found[str(table)] = connection.execute(query.format(sql.Identifier(str(table)))).fetchone()
        found["structure"] = database.structure(connection)
        for name, asked in (
            ("roles", queries.ROLES),
            ("settings", queries.SETTINGS),
            ("ALTER SYSTEM", queries.OVERRIDES),
        ):
            found[name] = connection.execute(asked.encode()).fetchall()
    return found


def _kubernetes(lab: Lab) -> dict[str, Any]:
    api = lab.kubernetes.api
    lasting = [kind for kind in KINDS if kind not in kubernetes.DERIVED]
    made = sorted(item["metadata"]["uid"] for kind in lasting for item in api.list(kind.plural))
    return {**kubernetes.objects(api), "uids": made}


def _endpoints(lab: Lab) -> dict[str, Any]:
    return {name: (found["target"], found["mode"]) for name, found in edge.state(lab.layout).items()}
