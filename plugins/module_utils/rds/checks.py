# SPDX-License-Identifier: BSD-2-Clause
"""What the RDS facts mean. Pure: no I/O, no clock, no Ansible.

If AWS cannot be read at all, ``rds.api`` is the only finding: nothing else is claimed. Otherwise every finding is
returned; where its part was not read or is absurd it is ``unknown``, with ``kind`` and ``reason`` as evidence.

====================  ================================================================================================
id                    evidence
====================  ================================================================================================
rds.api               region, reachable; kind and reason of a failure
rds.instance          instance, state, host, port, engine_version, class, availability_zone, pending, parameter_groups,
                      deletion_protection
rds.multi_az          multi_az, availability_zone, secondary_availability_zone
rds.storage           state, free_bytes, free_pct, allocated_gb, max_allocated_gb, metric_age_seconds
rds.activity          alive, connections, metric_age_seconds
rds.replica           replica, state, host, region, lag_seconds, lag_age_seconds, replication_status, replica_of
rds.events            events (of the last 60 min), failovers, restarts, newest_seconds_ago
rds.snapshots         newest, age_hours, count
rds.pitr              latest_restorable, age_seconds, retention_days
rds.security_group    ids, port, sources
rds.secret            fields, host, port, user, password_set
====================  ================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import (
    Facts,
    NotJudged,
    flag,
    graded,
    graded_low,
    judges,
    not_read,
    number,
    optional_number,
    part,
    rows,
    seconds,
    text,
)
from .arguments import Thresholds

GIGABYTE = 1024**3
# Clocks of AWS and of this machine differ a little; more than this into the future is absurd.
CLOCK_SKEW_SECONDS = 300.0

_WELL = frozenset({"available", "backing-up", "storage-optimization", "configuring-enhanced-monitoring"})
_BUSY = frozenset(
    {"modifying", "maintenance", "upgrading", "renaming", "configuring-log-exports", "configuring-iam-database-auth"}
)
_DOWN = frozenset(
    {
        "creating",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "rebooting",
        "restore-error",
        "resetting-master-credentials",
        "starting",
        "stopped",
        "stopping",
        "storage-full",
    }
)


def judge(facts: Mapping[str, Any], thresholds: Thresholds) -> list[Finding]:
    """All findings on the instance, its replica and its backups, in the order of the table above."""
    reachable = api(facts)
    if reachable.status is not Status.OK:
        return [reachable]
    found = [
        reachable,
        instance(facts, thresholds),
        multi_az(facts, thresholds),
        storage(facts, thresholds),
        activity(facts, thresholds),
        replica(facts, thresholds),
        events(facts),
        snapshots(facts, thresholds),
        pitr(facts, thresholds),
        security_group(facts),
    ]
    return [*found, secret(facts)] if "secret" in facts else found


@judges("rds.api", "AWS API")
def api(facts: Facts) -> Finding:
    """Could AWS be read?"""
    answered = facts.get("api")
    if not isinstance(answered, Mapping):
        raise NotJudged("AWS was not read", "missing")
    evidence = {"region": facts.get("region"), "reachable": answered.get("reachable")}
    if answered.get("reachable") is not True:
        reason = not_read(answered.get("error") or {"kind": "unexpected", "message": "no answer and no error"})
        evidence |= {"kind": reason.kind, "reason": str(reason)}
        step = "see AWS Health Dashboard; nothing about RDS is known until then"
        return Finding("rds.api", "AWS API", Status.UNKNOWN, f"not readable: {reason}", evidence, "", step)
    return Finding("rds.api", "AWS API", Status.OK, f"answers in {facts.get('region')}", evidence)


def _graded_state(state: str) -> Status:
    if state in _WELL:
        return Status.OK
    if state in _DOWN:
        return Status.CRITICAL
    return Status.WARNING if state in _BUSY else Status.UNKNOWN


@judges("rds.instance", "RDS instance")
def instance(facts: Facts, limits: Thresholds) -> Finding:
    """Is the instance available?"""
    name, component = "rds.instance", "RDS instance"
    raw = facts.get("instance")
    if isinstance(raw, Mapping) and isinstance(raw.get("error"), Mapping) and raw["error"].get("kind") == "missing":
        reason = str(raw["error"].get("message", ""))
        evidence: dict[str, Any] = {"kind": "missing", "reason": reason, "state": None}
        cause = "it was deleted or renamed, or the inventory names the wrong one"
        return Finding(name, component, Status.CRITICAL, f"there is no such instance: {reason}", evidence, cause)
    found = part(facts, "instance")
    state = text(found, "status")
    shown = ("host", "port", "engine_version", "class", "availability_zone", "pending", "parameter_groups")
    evidence = {"instance": found.get("id"), "state": state, "deletion_protection": found.get("deletion_protection")}
    evidence |= {key: found.get(key) for key in shown}
    status = _graded_state(state)
    summary = f"{found.get('id')} is {state}"
    if status is Status.OK and limits.deletion_protection_expected and found.get("deletion_protection") is False:
        return Finding(
            name,
            component,
            Status.WARNING,
            f"{summary}, but deletion protection is off",
            evidence,
            "the environment is not called prod in Terraform",
            "switch deletion protection on",
        )
    step = "" if status is Status.OK else "read rds.events; wait for the state to end before acting"
    return Finding(name, component, status, summary, evidence, "", step)


@judges("rds.multi_az", "RDS instance")
def multi_az(facts: Facts, limits: Thresholds) -> Finding:
    """Does RDS keep a standby in another zone?"""
    found = part(facts, "instance")
    on = flag(found, "multi_az")
    shown = ("multi_az", "availability_zone", "secondary_availability_zone")
    evidence = {key: found.get(key) for key in shown}
    status = Status.OK if on or not limits.multi_az_expected else Status.WARNING
    summary = "Multi-AZ is on" if on else "Multi-AZ is off: RDS cannot fail over by itself"
    return Finding("rds.multi_az", "RDS instance", status, summary, evidence)


@judges("rds.storage", "RDS storage")
def storage(facts: Facts, limits: Thresholds) -> Finding:
    """How full is the disk?"""
    found = part(facts, "instance")
    state = text(found, "status")
    allocated = number(found, "allocated_storage_gb", at_least=1)
    evidence: dict[str, Any] = {
        "state": state,
        "free_bytes": None,
        "free_pct": None,
        "allocated_gb": allocated,
        "max_allocated_gb": found.get("max_allocated_storage_gb"),
        "metric_age_seconds": None,
    }
    name, component = "rds.storage", "RDS storage"
    cause = "tables, WAL kept by a slot, or temporary files grew"
    step = "raise the allocated storage; look for slots that hold WAL"
    if state == "storage-full":
        return Finding(name, component, Status.CRITICAL, "the instance is storage-full", evidence, cause, step)
    point = part(facts, "metrics").get("free_storage_bytes")
    if not isinstance(point, Mapping):
        raise NotJudged("CloudWatch has no FreeStorageSpace of the last hour", "missing")
    age = number(point, "age_seconds", at_least=-CLOCK_SKEW_SECONDS)
    if age >= limits.metric_age_seconds:
        raise NotJudged(f"the newest FreeStorageSpace is {seconds(age)} old", "stale")
    free = number(point, "value", at_most=allocated * GIGABYTE)
    percent = 100 * free / (allocated * GIGABYTE)
    evidence |= {"free_bytes": free, "free_pct": round(percent, 1), "metric_age_seconds": age}
    status = graded_low(percent, limits.storage_free_warning_pct, limits.storage_free_critical_pct)
    summary = (
        f"{percent:.0f} % of {allocated:g} GiB free (limit {limits.storage_free_warning_pct:g} %,"
        f" {seconds(max(age, 0))} ago)"
    )
    bad = status > Status.OK
    return Finding(name, component, status, summary, evidence, cause if bad else "", step if bad else "")


@judges("rds.activity", "RDS activity")
def activity(facts: Facts, limits: Thresholds) -> Finding:
    """Does AWS still hear from the server? What refuses us may be alive behind a broken path."""
    point = part(facts, "metrics").get("connections")
    if not isinstance(point, Mapping):
        raise NotJudged("CloudWatch has no DatabaseConnections of the last hour", "missing")
    age = number(point, "age_seconds", at_least=-CLOCK_SKEW_SECONDS)
    alive = age < limits.activity_silence_seconds
    evidence = {"alive": alive, "connections": number(point, "value"), "metric_age_seconds": age}
    name, component = "rds.activity", "RDS activity"
    if alive:
        return Finding(name, component, Status.OK, f"AWS heard from the server {seconds(max(age, 0))} ago", evidence)
    summary = f"AWS has heard nothing from the server for {seconds(age)} (limit {limits.activity_silence_seconds:g} s)"
    return Finding(name, component, Status.WARNING, summary, evidence, "the server is down or frozen")


@judges("rds.replica", "RDS replica")
def replica(facts: Facts, limits: Thresholds) -> Finding:
    """Is there a read replica, and how far behind is it?"""
    name, component = "rds.replica", "RDS replica"
    raw = facts.get("replica")
    missing = (
        isinstance(raw, Mapping) and isinstance(raw.get("error"), Mapping) and raw["error"].get("kind") == "missing"
    )
    if raw is None or missing:
        status = Status.CRITICAL if missing else Status.WARNING if limits.replica_expected else Status.OK
        reason = str(raw["error"].get("message", "")) if missing and raw is not None else "none is configured"
        evidence: dict[str, Any] = {"replica": None, "kind": "missing", "reason": reason, "state": None}
        return Finding(name, component, status, f"no read replica: {reason}", evidence)
    found = part(facts, "replica")
    state = text(found, "status")
    evidence = {
        "replica": found.get("id"),
        "state": state,
        "host": found.get("host"),
        "region": found.get("region"),
        "lag_seconds": None,
        "lag_age_seconds": None,
        "replication_status": found.get("replication_status"),
        "replica_of": found.get("replica_of"),
    }
    status = _graded_state(state)
    problems = [f"{found.get('id')} is {state}"]
    if found.get("replica_of") in (None, ""):
        return Finding(
            name,
            component,
            Status.WARNING,
            f"{found.get('id')} is no replica any more: it was promoted",
            evidence,
            "it was promoted during a failover",
            "make a new replica of the instance that takes writes",
        )
    for entry in rows(found, "replication_status"):
        if entry.get("normal") is False:
            status = Status.CRITICAL
            problems.append(f"replication {entry.get('status')}: {entry.get('message') or 'no message'}")
    metrics = facts.get("replica_metrics")
    point = metrics.get("replica_lag_seconds") if isinstance(metrics, Mapping) else None
    if isinstance(point, Mapping):
        behind = number(point, "value", at_least=-1)  # -1 is AWS's word for "replication is not running"
        age = number(point, "age_seconds", at_least=-CLOCK_SKEW_SECONDS)
        evidence |= {"lag_seconds": behind, "lag_age_seconds": age}
        if age >= limits.metric_age_seconds:
            problems.append(f"lag unknown for {seconds(age)}")
        elif behind < 0:
            status = Status.CRITICAL
            problems.append("replication is not running")
        else:
            lag_status = graded(behind, limits.replica_lag_warning_seconds, limits.replica_lag_critical_seconds)
            status = max(status, lag_status)
            problems.append(f"{seconds(behind)} behind (limit {seconds(limits.replica_lag_warning_seconds)})")
    return Finding(name, component, status, ", ".join(problems), evidence)


@judges("rds.events", "RDS events")
def events(facts: Facts) -> Finding:
    """Did RDS fail over, restart or run out of something in the last hour?"""
    found = rows(facts, "events")
    failovers = [event for event in found if _about(event, "failover")]
    restarts = [event for event in found if _about(event, "restart", "recovery", "shutdown", "shut down")]
    troubles = [event for event in found if _about(event, "low storage", "failure", "out of storage", "out of disk")]
    ages = [optional_number(event, "seconds_ago") for event in [*failovers, *restarts, *troubles]]
    evidence = {
        "events": found[-20:],
        "failovers": len(failovers),
        "restarts": len(restarts),
        "newest_seconds_ago": min((age for age in ages if age is not None), default=None),
    }
    telling = [*troubles, *failovers, *restarts]
    if not telling:
        summary = f"{len(found)} events in 60 min, none a failover, restart or failure"
        return Finding("rds.events", "RDS events", Status.OK, summary, evidence)
    counts = f"{len(failovers)} of failover, {len(restarts)} of restart, {len(troubles)} of failure"
    summary = f"events of 60 min: {counts}"
    return Finding("rds.events", "RDS events", Status.WARNING, summary, evidence, str(telling[-1].get("message", "")))


def _about(event: Facts, *words: str) -> bool:
    categories = event.get("categories")
    said = [str(event.get("message", "")), *map(str, categories if isinstance(categories, list) else [])]
    return any(word in line.lower() for word in words for line in said)


@judges("rds.snapshots", "RDS backups")
def snapshots(facts: Facts, limits: Thresholds) -> Finding:
    """How old is the newest complete snapshot?"""
    found = rows(facts, "snapshots")
    done = [row for row in found if row.get("status") == "available"]
    name, component = "rds.snapshots", "RDS backups"
    if not done:
        evidence: dict[str, Any] = {"newest": None, "age_hours": None, "count": 0}
        return Finding(name, component, Status.CRITICAL, "there is no complete snapshot", evidence)
    age, newest = min(
        ((number(row, "age_seconds", at_least=-CLOCK_SKEW_SECONDS), row) for row in done), key=lambda pair: pair[0]
    )
    hours = max(age, 0) / 3600
    evidence = {"newest": newest.get("id"), "age_hours": round(hours, 2), "count": len(done)}
    status = graded(hours, limits.snapshot_warning_hours, limits.snapshot_critical_hours)
    summary = f"newest snapshot is {hours:.0f} h old (limit {limits.snapshot_critical_hours:g} h)"
    step = "run the backup manager, or create a snapshot" if status > Status.OK else ""
    return Finding(name, component, status, summary, evidence, "", step)


@judges("rds.pitr", "RDS backups")
def pitr(facts: Facts, limits: Thresholds) -> Finding:
    """Up to when can the database be restored?"""
    found = part(facts, "instance")
    retention = number(found, "backup_retention_days")
    evidence: dict[str, Any] = {
        "latest_restorable": found.get("latest_restorable"),
        "age_seconds": None,
        "retention_days": retention,
    }
    name, component = "rds.pitr", "RDS backups"
    if retention == 0:
        summary = "automated backups are off: no restore to a point in time"
        return Finding(name, component, Status.CRITICAL, summary, evidence, "", "set the backup retention")
    age = number(found, "latest_restorable_seconds", at_least=-CLOCK_SKEW_SECONDS)
    evidence["age_seconds"] = age
    status = graded(age, limits.pitr_warning_seconds, limits.pitr_critical_seconds)
    summary = f"restorable up to {seconds(max(age, 0))} ago (limit {seconds(limits.pitr_warning_seconds)})"
    if retention < limits.backup_retention_days:
        status = max(status, Status.WARNING)
        summary += f", kept {retention:g} of {limits.backup_retention_days} days"
    return Finding(name, component, status, summary, evidence)


@judges("rds.security_group", "RDS network")
def security_group(facts: Facts) -> Finding:
    """May anybody connect to the database's port?"""
    found = part(facts, "security_groups")
    sources = found.get("sources")
    if not isinstance(sources, list):
        raise NotJudged("sources is not a list")
    evidence = {"ids": found.get("ids"), "port": found.get("port"), "sources": sources}
    name, component, port = "rds.security_group", "RDS network", found.get("port")
    if not sources:
        return Finding(
            name,
            component,
            Status.CRITICAL,
            f"no security group lets anybody in on port {port}",
            evidence,
            "the ingress rule was removed",
            "put the rule back: the node group's security group on that port",
        )
    if {"0.0.0.0/0", "::/0"} & set(map(str, sources)):
        return Finding(name, component, Status.WARNING, f"port {port} is open to the whole internet", evidence)
    return Finding(name, component, Status.OK, f"{len(sources)} sources may connect on port {port}", evidence)


@judges("rds.secret", "Secrets Manager")
def secret(facts: Facts) -> Finding:
    """Does Secrets Manager hold what the shop needs to log in?"""
    found = part(facts, "secret")
    evidence = {key: found.get(key) for key in ("fields", "host", "port", "user", "password_set")}
    lacking = [key for key in ("host", "user") if not found.get(key)]
    if found.get("password_set") is not True:
        lacking.append("password")
    if lacking:
        summary = f"{found.get('name')} lacks {', '.join(lacking)}"
        return Finding("rds.secret", "Secrets Manager", Status.WARNING, summary, evidence)
    return Finding("rds.secret", "Secrets Manager", Status.OK, f"{found.get('name')} is complete", evidence)
