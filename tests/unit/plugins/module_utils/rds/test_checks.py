# SPDX-License-Identifier: GPL-3.0-or-later
"""Where RDS's findings change their status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.rds import system

GIB = 1024**3
HOUR = 3600


def find(facts: dict[str, Any], finding_id: str, **thresholds: Any) -> Finding:
    return {f.id: f for f in system.judge(facts, {"thresholds": thresholds})}[finding_id]


def snapshot(hours: float, status: str = "available") -> list[dict[str, Any]]:
    return [{"id": "s", "status": status, "age_seconds": hours * HOUR}]


def event(message: str, *categories: str) -> list[dict[str, Any]]:
    return [{"message": message, "categories": list(categories), "seconds_ago": 60.0}]


@pytest.mark.parametrize(
    ("finding_id", "path", "value", "status"),
    [
        ("rds.instance", "instance.status", "available", "ok"),
        ("rds.instance", "instance.status", "backing-up", "ok"),
        ("rds.instance", "instance.status", "modifying", "warning"),
        ("rds.instance", "instance.status", "rebooting", "critical"),
        ("rds.instance", "instance.status", "storage-full", "critical"),
        ("rds.instance", "instance.status", "a new word of AWS", "unknown"),
        ("rds.instance", "instance", {"error": {"kind": "missing", "message": "not found"}}, "critical"),
        ("rds.instance", "instance.deletion_protection", False, "warning"),
        ("rds.multi_az", "instance.multi_az", False, "warning"),
        ("rds.storage", "instance.status", "storage-full", "critical"),
        ("rds.storage", "metrics.free_storage_bytes.value", 4.1 * GIB, "ok"),
        ("rds.storage", "metrics.free_storage_bytes.value", 4 * GIB, "warning"),
        ("rds.storage", "metrics.free_storage_bytes.value", 1 * GIB, "critical"),
        ("rds.storage", "metrics.free_storage_bytes.value", 0, "critical"),
        ("rds.storage", "metrics.free_storage_bytes.value", 21 * GIB, "unknown"),
        ("rds.storage", "metrics.free_storage_bytes.age_seconds", 899, "ok"),
        ("rds.storage", "metrics.free_storage_bytes.age_seconds", 900, "unknown"),
        ("rds.storage", "metrics.free_storage_bytes.age_seconds", -301, "unknown"),
        ("rds.storage", "metrics.free_storage_bytes", None, "unknown"),
        ("rds.activity", "metrics.connections.age_seconds", 239, "ok"),
        ("rds.activity", "metrics.connections.age_seconds", 240, "warning"),
        ("rds.activity", "metrics.connections.age_seconds", -301, "unknown"),
        ("rds.activity", "metrics.connections", None, "unknown"),
        ("rds.replica", "replica.replica_of", None, "warning"),
        ("rds.replica", "replica.status", "creating", "critical"),
        ("rds.replica", "replica", {"error": {"kind": "missing", "message": "not found"}}, "critical"),
        ("rds.replica", "replica", {"error": {"kind": "denied", "message": "no"}}, "unknown"),
        ("rds.replica", "replica", None, "ok"),
        ("rds.replica", "replica_metrics.replica_lag_seconds", {"value": 59, "age_seconds": 60}, "ok"),
        ("rds.replica", "replica_metrics.replica_lag_seconds", {"value": 60, "age_seconds": 60}, "warning"),
        ("rds.replica", "replica_metrics.replica_lag_seconds", {"value": 300, "age_seconds": 60}, "critical"),
        ("rds.replica", "replica_metrics.replica_lag_seconds", {"value": -1, "age_seconds": 60}, "critical"),
        ("rds.replica", "replica_metrics.replica_lag_seconds", {"value": -2, "age_seconds": 60}, "unknown"),
        ("rds.events", "events", event("Multi-AZ instance failover started", "failover"), "warning"),
        ("rds.events", "events", event("DB instance restarted"), "warning"),
        ("rds.events", "events", event("Finished DB Instance backup", "backup"), "ok"),
        ("rds.snapshots", "snapshots", [], "critical"),
        ("rds.snapshots", "snapshots", snapshot(1, "creating"), "critical"),
        ("rds.snapshots", "snapshots", snapshot(25.9), "ok"),
        ("rds.snapshots", "snapshots", snapshot(26), "warning"),
        ("rds.snapshots", "snapshots", snapshot(48), "critical"),
        ("rds.snapshots", "snapshots", snapshot(-1), "unknown"),
        ("rds.pitr", "instance.latest_restorable_seconds", 599, "ok"),
        ("rds.pitr", "instance.latest_restorable_seconds", 600, "warning"),
        ("rds.pitr", "instance.latest_restorable_seconds", 3600, "critical"),
        ("rds.pitr", "instance.latest_restorable_seconds", None, "unknown"),
        ("rds.pitr", "instance.backup_retention_days", 0, "critical"),
        ("rds.pitr", "instance.backup_retention_days", 7, "warning"),
        ("rds.security_group", "security_groups.sources", [], "critical"),
        ("rds.security_group", "security_groups.sources", ["0.0.0.0/0"], "warning"),
        ("rds.secret", "secret.password_set", False, "warning"),
    ],
)
def test_status_at_the_boundary(healthy: Any, change: Any, finding_id: str, path: str, value: Any, status: str) -> None:
    assert str(find(change(healthy, path, value), finding_id).status) == status


def test_an_unreachable_aws_gives_one_unknown_and_claims_nothing_else(healthy: Any, change: Any) -> None:
    api = {"reachable": False, "error": {"kind": "no_answer", "message": "no answer in 3 s"}}
    findings = system.judge({"region": "us-west-2", "api": api}, {})
    assert [(f.id, str(f.status), f.evidence["kind"]) for f in findings] == [("rds.api", "unknown", "no_answer")]


def test_no_secret_is_in_the_evidence(healthy: Any) -> None:
    assert "password_fingerprint" not in find(healthy, "rds.secret").evidence
