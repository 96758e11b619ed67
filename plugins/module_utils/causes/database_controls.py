# SPDX-License-Identifier: BSD-2-Clause
"""The controls that prevent a database failure, or make it short; each with the change that closes the gap. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..core.errors import ConfigurationError
from ..core.finding import Finding, Status

# True: the control is there; False: it is missing; None: that could not be read.
Judge = Callable[[Mapping[str, Finding], Mapping[str, Any]], Optional[bool]]  # noqa: UP045 - sanity: no | at run time


@dataclass(frozen=True)
class Control:
    """Something that should be so.

    :param change: what closes the gap; ``{name}`` stands for the names handed to :func:`audit`.
    """

    title: str
    judge: Judge
    change: str


def _is_ok(finding: str) -> Judge:
    def judge(findings: Mapping[str, Finding], _limits: Mapping[str, Any]) -> bool | None:
        found = findings.get(finding)
        if found is None or found.status is Status.UNKNOWN:
            return None
        return found.status is Status.OK

    return judge


def _evidence(finding: str, key: str) -> Judge:
    def judge(findings: Mapping[str, Finding], _limits: Mapping[str, Any]) -> bool | None:
        found = findings.get(finding)
        value = found.evidence.get(key) if found else None
        return value if isinstance(value, bool) else None

    return judge


def _storage_grows(findings: Mapping[str, Finding], _limits: Mapping[str, Any]) -> bool | None:
    found = findings.get("rds.storage")
    if found is None or not isinstance(found.evidence.get("allocated_gb"), int | float):
        return None
    highest = found.evidence.get("max_allocated_gb")
    return isinstance(highest, int | float) and highest > found.evidence["allocated_gb"]


def _retention(findings: Mapping[str, Finding], limits: Mapping[str, Any]) -> bool | None:
    found = findings.get("rds.pitr")
    days = found.evidence.get("retention_days") if found else None
    return days >= limits["retention_days"] if isinstance(days, int | float) else None


def connections_wanted(findings: Mapping[str, Finding], pool_max: int) -> int | None:
    """Connections of as many full pools as the autoscaler may start, or None when its limit could not be read."""
    found = findings.get("kubernetes.hpa")
    highest = found.evidence.get("maximum") if found else None
    return highest * pool_max if isinstance(highest, int) else None


def _connections_suffice(findings: Mapping[str, Finding], limits: Mapping[str, Any]) -> bool | None:
    wanted = connections_wanted(findings, limits["pool_max"])
    found = findings.get("postgresql.connections")
    usable = found.evidence.get("usable") if found else None
    if wanted is None or not isinstance(usable, int | float):
        return None
    return wanted <= usable


CONTROLS = (
    Control(
        "A standby in another zone (Multi-AZ)",
        _evidence("rds.multi_az", "multi_az"),
        "aws rds modify-db-instance --db-instance-identifier {instance} --multi-az",
    ),
    Control(
        "Protection against deletion",
        _evidence("rds.instance", "deletion_protection"),
        "aws rds modify-db-instance --db-instance-identifier {instance} --deletion-protection; in Terraform the"
        ' environment must be called "prod", not "production"',
    ),
    Control(
        "Backups of {retention_days} days",
        _retention,
        "aws rds modify-db-instance --db-instance-identifier {instance} --backup-retention-period {retention_days}",
    ),
    Control(
        "A recent snapshot",
        _is_ok("rds.snapshots"),
        "look at Lambda {prefix}-backup-manager; now: aws rds create-db-snapshot --db-instance-identifier {instance}",
    ),
    Control("A point in time to restore to", _is_ok("rds.pitr"), "aws rds describe-db-instances: LatestRestorableTime"),
    Control(
        "Storage that grows by itself",
        _storage_grows,
        "aws rds modify-db-instance --db-instance-identifier {instance} --max-allocated-storage 100",
    ),
    Control(
        "A standby that is in sync: a failover loses nothing",
        _is_ok("postgresql.sync"),
        "see Investigation: replication",
    ),
    Control("WAL is archived", _is_ok("postgresql.wal_archiving"), "read the archiver's error in pg_stat_archiver"),
    Control(
        "Limits for statements, locks and idle transactions of the shop",
        _is_ok("postgresql.settings"),
        "alter role {app_user} set statement_timeout = '30s'; the same for idle_in_transaction_session_timeout = '60s'"
        " and lock_timeout = '10s'",
    ),
    Control(
        "Room for the connections of every pod the autoscaler may start",
        _connections_suffice,
        "lower maxReplicas of the autoscaler to max_connections / {pool_max}, or DB_POOL_MAX, or put a pooler between",
    ),
    Control(
        "Two backends stay up while nodes are drained",
        _is_ok("kubernetes.pdb"),
        "kubectl -n {namespace} get pdb: minAvailable 2",
    ),
)


NUMBERS = ("retention_days", "pool_max")
NAMES = ("instance", "prefix", "namespace", "app_user")


def audit(findings: Iterable[Finding], limits: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every control: ``title``, ``present`` (None: not read) and ``change``; gaps first, then what is not known.

    :raises ConfigurationError: a limit is missing or is no number.
    """
    by_id = {finding.id: finding for finding in findings}
    known = {**{name: _given(limits, name) for name in NAMES}, **{name: _number(limits, name) for name in NUMBERS}}
    rows = [
        {
            "title": control.title.format(**known),
            "present": control.judge(by_id, known),
            "change": control.change.format(**known),
        }
        for control in CONTROLS
    ]
    return sorted(rows, key=lambda row: {False: 0, None: 1, True: 2}[row["present"]])


def _given(limits: Mapping[str, Any], name: str) -> Any:
    if limits.get(name) in (None, ""):
        raise ConfigurationError("is missing", where=f"limits.{name}", remedy="set it in dhakacart_database_limits")
    return limits[name]


def _number(limits: Mapping[str, Any], name: str) -> int:
    value = _given(limits, name)
    try:
        return int(value)  # -e name=30 on the command line hands over a text
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{value!r} is no whole number", where=f"limits.{name}", remedy="correct the value in the inventory"
        ) from None
