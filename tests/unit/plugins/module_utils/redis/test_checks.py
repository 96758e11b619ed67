# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the findings on Redis change their status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.redis import system

LIMIT = 64 * 1024**2


def find(facts: dict[str, Any], finding_id: str, **thresholds: Any) -> Finding:
    return {f.id: f for f in system.judge(facts, {"thresholds": thresholds})}[finding_id]


@pytest.mark.parametrize(
    ("finding_id", "changes", "status"),
    [
        ("redis.memory", {"used_memory": LIMIT * 0.79}, "ok"),
        ("redis.memory", {"used_memory": LIMIT * 0.8}, "warning"),
        ("redis.memory", {"used_memory": LIMIT * 0.99}, "warning"),  # it may evict anything
        ("redis.memory", {"used_memory": LIMIT * 0.95, "maxmemory_policy": "noeviction"}, "critical"),
        ("redis.memory", {"maxmemory": 0, "total_system_memory": 0}, "unknown"),
        ("redis.memory", {"maxmemory": -1}, "unknown"),
        ("redis.evictions", {"evicted_keys": 0}, "ok"),
        ("redis.evictions", {"evicted_keys": 1}, "warning"),
        ("redis.hit_rate", {"keyspace_hits": 99, "keyspace_misses": 0}, "unknown"),
        ("redis.hit_rate", {"keyspace_hits": 81, "keyspace_misses": 19}, "ok"),
        ("redis.hit_rate", {"keyspace_hits": 80, "keyspace_misses": 20}, "warning"),
        ("redis.hit_rate", {"keyspace_hits": 0, "keyspace_misses": 100}, "warning"),
        ("redis.reachable", {"connected_clients": 8000}, "warning"),
        ("redis.reachable", {"role": "slave", "master_link_status": "up"}, "warning"),
        ("redis.reachable", {"role": "slave", "master_link_status": "down"}, "critical"),
        ("redis.reachable", {"role": "sentinel"}, "unknown"),
    ],
)
def test_status_at_the_boundary(
    healthy: Any, change: Any, finding_id: str, changes: dict[str, Any], status: str
) -> None:
    facts = change(healthy, "info", {**healthy["info"], **changes})
    assert str(find(facts, finding_id).status) == status


@pytest.mark.parametrize(
    ("kind", "status"),
    [("refused", "critical"), ("no_answer", "critical"), ("denied", "unknown"), ("no_route", "unknown")],
)
def test_an_unusable_redis(kind: str, status: str) -> None:
    facts = {"endpoint": "cache:6379", "reachable": False, "error": {"kind": kind, "message": kind}}
    assert str(find(facts, "redis.reachable").status) == status
    assert str(find(facts, "redis.memory").status) == "unknown"
