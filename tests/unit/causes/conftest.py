# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings of a platform that is well, and ways to make it ill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status

# What a healthy platform answers, with the evidence that rules and controls ask for.
HEALTHY: Mapping[str, Mapping[str, Any]] = {
    "http.ready": {},
    "http.products": {},
    "kubernetes.api": {},
    "kubernetes.hpa": {"maximum": 10, "minimum": 3},
    "kubernetes.pdb": {},
    "kubernetes.service": {},
    "drift.credentials": {"user_differs": False, "password_differs": False},
    "postgresql.primary": {"reachable": True},
    "postgresql.role": {"in_recovery": False, "transaction_read_only": False},
    "postgresql.standby": {"reachable": True, "in_recovery": True, "same_server": False},
    "postgresql.split_brain": {"both_primary": False},
    "postgresql.replication": {"streaming": True, "hears_primary": True},
    "postgresql.lag": {"lag_seconds": 0.1},
    "postgresql.sync": {},
    "postgresql.connections": {"usable": 197},
    "postgresql.locks": {},
    "postgresql.long_queries": {},
    "postgresql.settings": {},
    "postgresql.wal_archiving": {},
    "rds.activity": {"alive": True},
    "rds.instance": {"deletion_protection": True},
    "rds.multi_az": {"multi_az": True},
    "rds.pitr": {"retention_days": 30},
    "rds.snapshots": {},
    "rds.storage": {"allocated_gb": 20, "max_allocated_gb": 100},
}
Change = Mapping[str, tuple[Status, Mapping[str, Any]]]
Platform = Callable[..., list[Finding]]


def platform_with(*changes: Change) -> list[Finding]:
    """The healthy findings with some replaced, later changes last."""
    found = {name: Finding(name, name, Status.OK, f"{name} is ok", evidence) for name, evidence in HEALTHY.items()}
    for change in changes:
        for name, (status, evidence) in change.items():
            found[name] = Finding(name, name, status, f"{name} is {status}", evidence)
    return list(found.values())


@pytest.fixture
def platform() -> Platform:
    return platform_with


@pytest.fixture
def healthy_names() -> list[str]:
    return list(HEALTHY)
