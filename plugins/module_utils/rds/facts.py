# SPDX-License-Identifier: BSD-2-Clause
"""Reads the RDS instances and what surrounds them: one call first, then all others at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..core.errors import Missing, ReadError, Unexpected
from ..reading import at_once, error_entry
from ..redaction import fingerprint
from .arguments import Settings
from .client import Aws

EVENT_MINUTES = 60
MAX_SNAPSHOTS = 2000  # more than an account may have
GIGABYTE = 1024**3
_METRICS = {
    "free_storage_bytes": "FreeStorageSpace",
    "connections": "DatabaseConnections",
    "cpu_pct": "CPUUtilization",
    "free_memory_bytes": "FreeableMemory",
}


def read(settings: Settings) -> dict[str, Any]:
    """What AWS says about the database; takes about three times ``settings.timeout`` at most.

    :returns: ``region``, ``api`` (``{"reachable": bool, "error"?}``) and, if reachable, the parts ``instance``,
        ``replica``, ``events``, ``snapshots``, ``metrics``, ``security_groups``, ``secret``. A part that could not be
        read is ``{"error": {"kind", "message", "remedy"}}``; a replica that is not named is None.
    :raises ConfigurationError: boto3, the credentials file or the profile is missing or malformed.
    """
    aws = Aws(settings)
    now = datetime.now(UTC)
    facts: dict[str, Any] = {"region": settings.region, "api": {"reachable": True}}
    try:
        instance: dict[str, Any] = _instance(aws, settings.instance, settings.region, now)
    except Missing as error:
        instance = {"error": error_entry(error)}
    except ReadError as error:
        return {"region": settings.region, "api": {"reachable": False, "error": error_entry(error)}}
    facts["instance"] = instance
    replica_region = settings.replica_region or settings.region
    calls: dict[str, Callable[[], Any]] = {
        "events": lambda: _events(aws, settings.instance, now),
        "snapshots": lambda: _snapshots(aws, settings.instance, now),
        "metrics": lambda: _metrics(aws, settings, settings.instance, settings.region, _METRICS, now),
    }
    if groups := [group["id"] for group in instance.get("security_groups", [])]:
        calls["security_groups"] = lambda: _security_groups(aws, groups, int(instance.get("port") or 5432))
    if settings.replica:
        calls["replica"] = lambda: _instance(aws, settings.replica, replica_region, now)
        metric = {"replica_lag_seconds": "ReplicaLag"}
        calls["replica_metrics"] = lambda: _metrics(aws, settings, settings.replica, replica_region, metric, now)
    if settings.secret:
        calls["secret"] = lambda: _secret(aws, settings.secret, settings.salt)
    facts.update(at_once(calls, 2 * settings.timeout + 1))
    facts.setdefault("replica", None)
    return facts


def _instance(aws: Aws, name: str, region: str, now: datetime) -> dict[str, Any]:
    answer = aws.call("rds", "describe_db_instances", region=region, DBInstanceIdentifier=name)
    found = answer.get("DBInstances")
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], Mapping):
        raise Unexpected("the answer does not hold exactly one instance", where=f"rds {name} in {region}")
    raw = found[0]
    endpoint = raw.get("Endpoint") or {}
    restorable = raw.get("LatestRestorableTime")
    return {
        "id": raw.get("DBInstanceIdentifier"),
        "region": region,
        "status": raw.get("DBInstanceStatus"),
        "multi_az": raw.get("MultiAZ"),
        "availability_zone": raw.get("AvailabilityZone"),
        "secondary_availability_zone": raw.get("SecondaryAvailabilityZone"),
        "host": endpoint.get("Address"),
        "port": endpoint.get("Port"),
        "engine_version": raw.get("EngineVersion"),
        "class": raw.get("DBInstanceClass"),
        "allocated_storage_gb": raw.get("AllocatedStorage"),
        "max_allocated_storage_gb": raw.get("MaxAllocatedStorage"),
        "backup_retention_days": raw.get("BackupRetentionPeriod"),
        "deletion_protection": raw.get("DeletionProtection"),
        "master_user": raw.get("MasterUsername"),
        "created_seconds": _age(raw.get("InstanceCreateTime"), now),
        "latest_restorable": _iso(restorable),
        "latest_restorable_seconds": _age(restorable, now),
        "pending": sorted(str(key) for key in raw.get("PendingModifiedValues") or {}),
        "parameter_groups": [
            {"name": group.get("DBParameterGroupName"), "status": group.get("ParameterApplyStatus")}
            for group in raw.get("DBParameterGroups") or []
        ],
        "security_groups": [
            {"id": group.get("VpcSecurityGroupId"), "status": group.get("Status")}
            for group in raw.get("VpcSecurityGroups") or []
        ],
        "replica_of": raw.get("ReadReplicaSourceDBInstanceIdentifier"),
        "replicas": list(raw.get("ReadReplicaDBInstanceIdentifiers") or []),
        "replication_status": [
            {"status": info.get("Status"), "normal": info.get("Normal"), "message": info.get("Message")}
            for info in raw.get("StatusInfos") or []
        ],
    }


def _events(aws: Aws, name: str, now: datetime) -> list[dict[str, Any]]:
    answer = aws.call(
        "rds",
        "describe_events",
        SourceIdentifier=name,
        SourceType="db-instance",
        Duration=EVENT_MINUTES,
        MaxRecords=100,
    )
    return [
        {
            "at": _iso(event.get("Date")),
            "seconds_ago": _age(event.get("Date"), now),
            "message": str(event.get("Message", ""))[:200],
            "categories": list(event.get("EventCategories") or []),
        }
        for event in answer.get("Events") or []
    ]


def _snapshots(aws: Aws, name: str, now: datetime) -> list[dict[str, Any]]:
    """The ten newest snapshots that are complete or under way, newest first."""
    snapshots: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while len(snapshots) < MAX_SNAPSHOTS:
        answer = aws.call("rds", "describe_db_snapshots", DBInstanceIdentifier=name, MaxRecords=100, **marker)
        found = answer.get("DBSnapshots") or []
        for raw in found:
            snapshots.append(
                {
                    "id": raw.get("DBSnapshotIdentifier"),
                    "type": raw.get("SnapshotType"),
                    "status": raw.get("Status"),
                    "created": _iso(raw.get("SnapshotCreateTime")),
                    "age_seconds": _age(raw.get("SnapshotCreateTime"), now),
                    "encrypted": raw.get("Encrypted"),
                }
            )
        if not found or not answer.get("Marker"):
            break
        marker = {"Marker": answer["Marker"]}
    return sorted(snapshots, key=lambda row: (row["age_seconds"] is None, row["age_seconds"]))[:10]


def _metrics(
    aws: Aws, settings: Settings, name: str, region: str, metrics: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Metric -> its newest datapoint of the last hour, ``{"value", "age_seconds"}``, or None where there is none."""
    names = list(metrics)
    queries = [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/RDS",
                    "MetricName": metrics[key],
                    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": name}],
                },
                "Period": settings.metric_period_seconds,
                "Stat": "Average",
            },
        }
        for index, key in enumerate(names)
    ]
    answer = aws.call(
        "cloudwatch",
        "get_metric_data",
        region=region,
        MetricDataQueries=queries,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        ScanBy="TimestampDescending",
    )
    latest: dict[str, Any] = dict.fromkeys(names)
    for result in answer.get("MetricDataResults") or []:
        points = sorted(zip(result.get("Timestamps") or [], result.get("Values") or [], strict=False), reverse=True)
        if points and str(result.get("Id", "")).removeprefix("m").isdigit():
            at, value = points[0]
            latest[names[int(result["Id"][1:])]] = {"value": float(value), "age_seconds": _age(at, now)}
    return latest


def _security_groups(aws: Aws, groups: list[str], port: int) -> dict[str, Any]:
    """Who may connect to the database's port."""
    answer = aws.call("ec2", "describe_security_groups", GroupIds=groups)
    found = answer.get("SecurityGroups")
    if not isinstance(found, list) or not found:
        raise Unexpected("the answer holds no security group", where=f"ec2 {', '.join(groups)}")
    sources = [
        source for group in found for rule in group.get("IpPermissions") or [] for source in _sources(rule, port)
    ]
    return {"ids": groups, "port": port, "sources": sorted(set(sources))}


def _sources(rule: Mapping[str, Any], port: int) -> list[str]:
    protocol = rule.get("IpProtocol")
    if protocol not in ("tcp", "6", "-1"):
        return []
    if protocol != "-1" and not (rule.get("FromPort") or 0) <= port <= (rule.get("ToPort") or 0):
        return []
    return [
        *(str(entry.get("CidrIp")) for entry in rule.get("IpRanges") or []),
        *(str(entry.get("CidrIpv6")) for entry in rule.get("Ipv6Ranges") or []),
        *(str(entry.get("GroupId")) for entry in rule.get("UserIdGroupPairs") or []),
        *(str(entry.get("PrefixListId")) for entry in rule.get("PrefixListIds") or []),
    ]


def _secret(aws: Aws, name: str, salt: str) -> dict[str, Any]:
    """The database settings in Secrets Manager: host, port and user in clear, secrets as fingerprints only."""
    answer = aws.call("secretsmanager", "get_secret_value", SecretId=name)
    try:
        fields = json.loads(answer.get("SecretString") or "")
    except ValueError:
        fields = None  # never quote it: it is the secret
    if not isinstance(fields, dict):
        raise Unexpected("the secret is not a JSON object", where=f"secretsmanager {name}", remedy="write it anew")
    values = {str(key): "" if value is None else str(value) for key, value in fields.items()}

    def first(*keys: str) -> str | None:
        return next((values[key] for key in keys if values.get(key)), None)

    password = first("password", "DB_PASSWORD")
    return {
        "name": name,
        "fields": sorted(values),
        "host": first("host", "DB_HOST"),
        "port": first("port", "DB_PORT"),
        "user": first("username", "user", "DB_USER"),
        "database": first("dbname", "database", "DB_NAME"),
        "password_set": password is not None,
        "password_fingerprint": fingerprint(salt, password) if salt and password else None,
        "version": str(answer.get("VersionId", "")),
    }


def _iso(value: Any) -> str | None:
    return value.astimezone(UTC).isoformat(timespec="seconds") if isinstance(value, datetime) else None


def _age(value: Any, now: datetime) -> float | None:
    """Seconds since ``value``; may be negative: clocks differ, and the judgement has to know."""
    return round((now - value.astimezone(UTC)).total_seconds(), 1) if isinstance(value, datetime) else None
