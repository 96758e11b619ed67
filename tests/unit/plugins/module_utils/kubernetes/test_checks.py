# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the findings on the workload change their status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes import system


def find(facts: dict[str, Any], finding_id: str, **thresholds: Any) -> Finding:
    return {f.id: f for f in system.judge(facts, {"thresholds": thresholds})}[finding_id]


def pod(**changes: Any) -> dict[str, Any]:
    return {
        "name": "dhakacart-backend-x",
        "phase": "Running",
        "ready": False,
        "deleting": False,
        "restarts": 0,
        "waiting": None,
        "unschedulable": None,
        "last_termination": None,
        "age_seconds": 100,
        **changes,
    }


def ended(seconds_ago: float, reason: str = "Error") -> dict[str, Any]:
    return {"reason": reason, "exit_code": 1, "seconds_ago": seconds_ago}


@pytest.mark.parametrize(
    ("finding_id", "path", "value", "status"),
    [
        ("kubernetes.backend", "deployment.ready", 2, "warning"),
        ("kubernetes.backend", "deployment.ready", 1, "critical"),
        ("kubernetes.backend", "deployment.ready", 0, "critical"),
        ("kubernetes.backend", "deployment.desired", 0, "critical"),
        ("kubernetes.backend", "deployment.ready", -1, "unknown"),
        ("kubernetes.backend", "deployment", {"error": {"kind": "missing", "message": "404"}}, "unknown"),
        ("kubernetes.pods", "pods.total", 0, "critical"),
        ("kubernetes.pods", "pods.unready", [pod()], "warning"),
        ("kubernetes.pods", "pods.unready", [pod(waiting="CrashLoopBackOff")], "critical"),
        ("kubernetes.pods", "pods.unready", [pod(waiting="ImagePullBackOff")], "critical"),
        ("kubernetes.pods", "pods.unready", [pod(unschedulable="0/3 nodes are available")], "critical"),
        ("kubernetes.pods", "pods.unready", [pod(last_termination=ended(899, "OOMKilled"))], "critical"),
        ("kubernetes.pods", "pods.unready", [pod(last_termination=ended(900, "OOMKilled"))], "warning"),
        ("kubernetes.pods", "pods.unready", [pod(restarts=4, last_termination=ended(10))], "warning"),
        ("kubernetes.pods", "pods.unready", [pod(restarts=5, last_termination=ended(10))], "critical"),
        ("kubernetes.pods", "pods.unready", [pod(deleting=True)], "ok"),
        ("kubernetes.rollout", "deployment.paused", True, "warning"),
        ("kubernetes.rollout", "deployment.updated", 1, "warning"),
        ("kubernetes.rollout", "deployment.observed_generation", 1, "unknown"),
        ("kubernetes.rollout", "deployment.conditions.0.status", "False", "critical"),
        ("kubernetes.service", "service.endpoints_ready", 0, "critical"),
        ("kubernetes.service", "service.endpoints_ready", 1, "ok"),
        ("kubernetes.hpa", "hpa.current", 50, "warning"),
        ("kubernetes.hpa", "hpa.current", None, "unknown"),
        ("kubernetes.hpa", "hpa.maximum", 2, "unknown"),
        ("kubernetes.pdb", "pdb.healthy", 1, "warning"),
        ("kubernetes.pdb", "pdb.disruptions_allowed", 0, "warning"),
        ("kubernetes.events", "events", [{"reason": "BackOff", "count": 1, "message": "x"}], "warning"),
        ("kubernetes.events", "events", [{"reason": "BackOff", "count": -3}], "unknown"),
        ("kubernetes.secret", "secret.host", None, "critical"),
        ("kubernetes.secret", "secret.password_set", False, "critical"),
        ("kubernetes.secret", "external_secret", {"ready": False}, "warning"),
        ("kubernetes.api", "api.clock_skew_seconds", 59, "ok"),
        ("kubernetes.api", "api.clock_skew_seconds", -60, "warning"),
    ],
)
def test_status_at_the_boundary(healthy: Any, change: Any, finding_id: str, path: str, value: Any, status: str) -> None:
    assert str(find(change(healthy, path, value), finding_id).status) == status


def test_a_rollout_without_progress_is_stuck_at_the_threshold(healthy: Any, change: Any) -> None:
    for seconds, status in ((599, "warning"), (600, "critical")):
        facts = change(healthy, "deployment.updated", 1, "deployment.conditions.0.seconds", seconds)
        assert str(find(facts, "kubernetes.rollout").status) == status


@pytest.mark.parametrize(("ready_seconds", "slow"), [(4, False), (60, True), (None, True)])
def test_a_pod_is_unready_for_as_long_as_it_has_not_been_ready_and_not_for_as_long_as_it_lives(
    healthy: Any, change: Any, ready_seconds: float | None, slow: bool
) -> None:
    facts = change(healthy, "pods.unready", [pod(age_seconds=900, ready_seconds=ready_seconds)])
    (found,) = (finding for finding in system.judge(facts, {}) if finding.id == "kubernetes.pods")
    assert ("for over 60 s" in found.summary) is slow


def test_an_unreachable_api_gives_one_unknown_and_claims_nothing_else() -> None:
    api = {"reachable": False, "error": {"kind": "refused", "message": "no"}}
    findings = system.judge({"api": api}, {})
    assert [(f.id, str(f.status), f.evidence["kind"]) for f in findings] == [("kubernetes.api", "unknown", "refused")]


def test_a_skewed_clock_does_not_hide_the_other_findings(healthy: Any, change: Any) -> None:
    assert len(system.judge(change(healthy, "api.clock_skew_seconds", 600), {})) == 9


def test_no_secret_is_in_the_evidence(healthy: Any) -> None:
    assert "password_fingerprint" not in find(healthy, "kubernetes.secret").evidence
