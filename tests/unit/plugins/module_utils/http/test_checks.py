# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the findings on the shop change their status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.http import system


def find(facts: dict[str, Any], finding_id: str) -> Finding:
    return {f.id: f for f in system.judge(facts, {})}[finding_id]


@pytest.mark.parametrize(
    ("finding_id", "path", "value", "status"),
    [
        ("http.ready", "ready.status", 503, "critical"),
        ("http.ready", "ready.status", 204, "critical"),
        ("http.ready", "ready.status", 429, "unknown"),
        ("http.ready", "ready.status", 0, "unknown"),
        ("http.ready", "ready.state", "starting", "unknown"),
        ("http.ready", "ready.json", False, "unknown"),
        ("http.ready", "ready.error", {"kind": "refused", "message": "no"}, "critical"),
        ("http.ready", "ready.error", {"kind": "no_answer", "message": "no"}, "critical"),
        ("http.ready", "ready.error", {"kind": "no_route", "message": "no"}, "unknown"),
        ("http.live", "live.status", 500, "critical"),
        ("http.health", "health.status", 503, "warning"),
        ("http.health", "health.status", 429, "unknown"),
        ("http.health", "health.state", "degraded", "warning"),
        ("http.products", "products.items", 0, "warning"),
        ("http.products", "products.items", None, "unknown"),
        ("http.products", "products.status", 500, "critical"),
        ("http.latency", "ready.seconds", 1.99, "ok"),
        ("http.latency", "ready.seconds", 2, "warning"),
        ("http.latency", "ready.seconds", 5, "critical"),
        ("http.latency", "ready.seconds", -1, "unknown"),
    ],
)
def test_status_at_the_boundary(healthy: Any, change: Any, finding_id: str, path: str, value: Any, status: str) -> None:
    assert str(find(change(healthy, path, value), finding_id).status) == status


def test_a_path_that_is_not_asked_has_no_finding(healthy: Any, change: Any) -> None:
    ids = [finding.id for finding in system.judge(change(healthy, "health", None), {})]
    assert ids == ["http.ready", "http.live", "http.products", "http.latency"]


def test_the_reason_of_a_503_is_the_likely_cause(healthy: Any, change: Any) -> None:
    facts = change(healthy, "ready.status", 503, "ready.message", "timeout expired")
    assert find(facts, "http.ready").likely_cause == "timeout expired"
