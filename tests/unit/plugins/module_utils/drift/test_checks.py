# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the places that name the database agree."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.drift import checks

SECRET = {"host": "db.example", "port": "5432", "user": "shop", "password_set": True, "password_fingerprint": "aa"}
FACTS = {
    "kubernetes": {"secret": SECRET},
    "rds": {
        "secret": SECRET,
        "instance": {"host": "db.example", "port": 5432},
        "replica": {"host": "replica.example", "port": 5432, "replica_of": "db"},
    },
}


def find(facts: dict[str, Any], finding_id: str) -> Finding:
    return {f.id: f for f in checks.judge(facts)}[finding_id]


@pytest.mark.parametrize(
    ("finding_id", "path", "value", "status"),
    [
        ("drift.credentials", "kubernetes.secret.user", "shop", "ok"),
        ("drift.credentials", "kubernetes.secret.user", "old", "critical"),
        ("drift.credentials", "kubernetes.secret.password_fingerprint", "bb", "critical"),
        ("drift.credentials", "kubernetes.secret.password_fingerprint", None, "unknown"),
        ("drift.credentials", "kubernetes.secret.password_set", False, "critical"),
        ("drift.credentials", "rds.secret", {"error": {"kind": "denied", "message": "no"}}, "unknown"),
        ("drift.host", "kubernetes.secret.host", "old.example", "critical"),
        ("drift.host", "kubernetes.secret.host", "DB.example.", "ok"),
        ("drift.host", "kubernetes.secret.port", "6432", "critical"),
        ("drift.host", "rds.secret.host", "db.example:5432", "ok"),  # Terraform writes the endpoint
        ("drift.host", "rds.secret.host", "old.example", "warning"),
        ("drift.host", "rds.secret", None, "ok"),
        ("drift.host", "rds.instance.host", None, "unknown"),
        ("drift.host", "kubernetes.secret.port", "many", "unknown"),
    ],
)
def test_status(change: Any, finding_id: str, path: str, value: Any, status: str) -> None:
    assert str(find(change(FACTS, path, value), finding_id).status) == status


def test_a_shop_that_uses_the_promoted_replica_has_no_drift(change: Any) -> None:
    facts = change(FACTS, "kubernetes.secret.host", "replica.example", "rds.secret.host", "replica.example")
    assert str(find(facts, "drift.host").status) == "critical"
    assert str(find(change(facts, "rds.replica.replica_of", None), "drift.host").status) == "ok"
