# SPDX-License-Identifier: BSD-2-Clause
"""Asks Kubernetes, PostgreSQL and RDS themselves which environment they are. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..core.errors import ConfigurationError, ReadError, RunbookError
from ..core.gather import Job, gather
from ..kubernetes.arguments import Settings as KubernetesSettings
from ..kubernetes.client import Api
from ..options import build
from ..postgresql import client as postgresql
from ..postgresql.arguments import Settings as DatabaseSettings
from ..rds.arguments import Settings as RdsSettings
from ..rds.client import Aws

SLACK = 6.0  # seconds beyond both of a system's own deadlines, for importing a slow SDK
LABEL = "dhakacart.com/"
# Labels and annotations of the namespace, by what they say. The second name is the platform's own.
LABELS = {
    "environment": (f"{LABEL}environment", "environment"),
    "drillable": (f"{LABEL}drillable",),
    "lab_id": (f"{LABEL}lab-id",),
}
TAGS = {"environment": ("Environment",), "drillable": ("Drillable",), "lab_id": ("LabId",)}
SETTINGS = {
    "environment": ("dhakacart.environment",),
    "drillable": ("dhakacart.drillable",),
    "lab_id": ("dhakacart.lab_id",),
}
# What the database itself holds: a role's or a session's own setting of that name says nothing about it.
DATABASE_SETTINGS = """
SELECT unnest(setconfig) AS setting FROM pg_catalog.pg_db_role_setting AS held
JOIN pg_catalog.pg_database AS base ON base.oid = held.setdatabase
WHERE base.datname = current_database() AND held.setrole = 0
"""


def read(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each system says of itself, all asked at once.

    :param systems: the options of the check modules of ``kubernetes``, ``postgresql`` and ``rds``.
    :returns: ``kubernetes``, ``rds``, ``primary`` and, where the inventory names one, ``replica``: each ``where`` and
        ``says`` (``environment``, ``drillable``, ``lab_id``, texts as found, empty where nothing is said), or
        ``error`` (``kind``, ``message``).
    :raises ConfigurationError: a system has no options, or they make no sense; nothing has been read then.
    """
    for name in ("kubernetes", "postgresql", "rds"):
        if not systems.get(name):
            raise ConfigurationError("options are missing", where=f"systems.{name}", remedy="set it in the inventory")
    kube = build(KubernetesSettings, systems["kubernetes"], "kubernetes")
    database = build(DatabaseSettings, systems["postgresql"], "postgresql")
    rds = build(RdsSettings, systems["rds"], "rds")
    calls: dict[str, tuple[Callable[[], dict[str, Any]], float]] = {
        "kubernetes": (partial(_kubernetes, kube), kube.timeout),
        "primary": (partial(_database, database, database.host, database.port), database.timeout),
        "rds": (partial(_rds, rds), rds.timeout),
    }
    if database.replica_host:
        replica = partial(_database, database, database.replica_host, database.replica_port)
        calls["replica"] = (replica, database.timeout)
    outcomes = gather({name: Job(call, 2 * timeout + SLACK) for name, (call, timeout) in calls.items()})
    return {name: _answer(outcome.value, outcome.error) for name, outcome in outcomes.items()}


def _answer(value: Any, error: Exception | None) -> dict[str, Any]:
    if error is None:
        answer: dict[str, Any] = value
        return answer
    if not isinstance(error, RunbookError):
        raise error
    kind = error.kind if isinstance(error, ReadError) else "configuration"
    return {"error": {"kind": kind, "message": str(error)}}


def _kubernetes(settings: KubernetesSettings) -> dict[str, Any]:
    api = Api(settings)
    metadata = api.get(f"/api/v1/namespaces/{settings.namespace}").get("metadata") or {}
    said = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
    return {"where": f"namespace {settings.namespace} at {api.server}", "says": _says(said, LABELS)}


def _database(settings: DatabaseSettings, host: str, port: int) -> dict[str, Any]:
    with postgresql.connect(settings, host, port) as server:
        postgresql.guard(server, settings)
        rows = server.query(DATABASE_SETTINGS)
    said = dict(str(row["setting"]).partition("=")[::2] for row in rows)
    return {"where": f"database {settings.dbname} at {host}:{port}", "says": _says(said, SETTINGS)}


def _rds(settings: RdsSettings) -> dict[str, Any]:
    answer = Aws(settings).call("rds", "describe_db_instances", DBInstanceIdentifier=settings.instance)
    found = (answer.get("DBInstances") or [{}])[0]
    said = {str(tag.get("Key")): tag.get("Value") for tag in found.get("TagList") or []}
    return {"where": f"instance {settings.instance} in {settings.region}", "says": _says(said, TAGS)}


def _says(said: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Each word under the first of its names that is there."""
    return {word: next((str(said[name]) for name in known if said.get(name)), "") for word, known in names.items()}
