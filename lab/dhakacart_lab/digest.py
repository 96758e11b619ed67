# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is, as digests: equal before and after means that nothing was changed.

Left out is what moves by itself: heartbeats, statuses, events and resource versions of Kubernetes, times and metrics of
AWS. Customers' orders move too, so the shopper has to be still between two digests that are compared.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from psycopg import sql

from . import edge
from .kubernetes.api import Api
from .lab import Lab

KINDS = (
    "namespaces",
    "nodes",
    "deployments",
    "replicasets",
    "services",
    "secrets",
    "configmaps",
    "serviceaccounts",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
    "ingresses",
    "roles",
    "rolebindings",
)
MOVING = ("resourceVersion", "managedFields", "generation")


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
    """Every row of every table, every role, and every setting that somebody made."""
    found: dict[str, Any] = {}
    with lab.cluster.connect() as connection:
        connection.execute("set statement_timeout = '20s'")  # somebody may hold a lock
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("select count(*), md5(coalesce(string_agg(r::text, '|' order by r::text), '')) from {} r")
            found[str(table)] = connection.execute(query.format(sql.Identifier(str(table)))).fetchone()
        found["roles"] = connection.execute(
            "select rolname, rolsuper, rolcanlogin, rolpassword from pg_authid order by rolname"
        ).fetchall()
        found["role settings"] = connection.execute(
            "select setdatabase, setrole::regrole::text, setconfig from pg_db_role_setting order by 1, 2"
        ).fetchall()
        found["settings"] = connection.execute(
            "select name, setting from pg_file_settings where applied order by name"
        ).fetchall()
    return found


def _kubernetes(lab: Lab) -> dict[str, Any]:
    api = Api(lab.layout)
    found: dict[str, Any] = {}
    for kind in KINDS:
        for item in api.list(kind):
            metadata = {key: value for key, value in item["metadata"].items() if key not in MOVING}
            name = f"{kind}/{metadata.get('namespace', '')}/{metadata['name']}"
            content = {key: value for key, value in item.items() if key not in ("metadata", "status")}
            found[name] = {**content, "metadata": metadata}
    found["pods"] = sorted(pod["metadata"]["uid"] for pod in api.list("pods"))
    return found


def _endpoints(lab: Lab) -> dict[str, Any]:
    return {name: (found["target"], found["mode"]) for name, found in edge.state(lab.layout).items()}
