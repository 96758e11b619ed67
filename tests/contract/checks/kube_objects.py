# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes objects of a healthy shop backend, as the API gives them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

NAMESPACE = "/namespaces/dhakacart/"


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(number: int, *, ready: bool = True, **container: Any) -> dict[str, Any]:
    state = container or {"state": {"running": {"startedAt": ago(500)}}, "restartCount": 0}
    return {
        "metadata": {"name": f"dhakacart-backend-{number}", "creationTimestamp": ago(500)},
        "spec": {"nodeName": "node-1"},
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": ago(400)}],
            "containerStatuses": [{"name": "backend", "ready": ready, **state}],
        },
    }


def secret(password: str = "right") -> dict[str, Any]:
    values = {"db-host": "db.example", "db-port": "5432", "db-user": "dhakacart", "db-password": password}
    return {"metadata": {}, "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


def healthy() -> dict[str, Any]:
    """Path -> object; lists are lists of items."""
    return {
        "/version": {"gitVersion": "v1.28.3"},
        f"/apis/apps/v1{NAMESPACE}deployments/dhakacart-backend": {
            "metadata": {
                "name": "dhakacart-backend",
                "generation": 2,
                "annotations": {"deployment.kubernetes.io/revision": "1"},
            },
            "spec": {
                "replicas": 3,
                "template": {"spec": {"containers": [{"name": "backend", "image": "dhakacart/backend:1.0.0"}]}},
            },
            "status": {
                "observedGeneration": 2,
                "replicas": 3,
                "readyReplicas": 3,
                "updatedReplicas": 3,
                "availableReplicas": 3,
                "conditions": [
                    {
                        "type": "Progressing",
                        "status": "True",
                        "reason": "NewReplicaSetAvailable",
                        "lastUpdateTime": ago(400),
                    }
                ],
            },
        },
        f"/api/v1{NAMESPACE}pods": [pod(number) for number in range(3)],
        f"/api/v1{NAMESPACE}services/dhakacart-backend-service": {"spec": {"selector": {"app": "dhakacart-backend"}}},
        f"/apis/discovery.k8s.io/v1{NAMESPACE}endpointslices": [
            {"endpoints": [{"addresses": [f"10.0.0.{number}"], "conditions": {"ready": True}} for number in range(3)]}
        ],
        f"/apis/autoscaling/v2{NAMESPACE}horizontalpodautoscalers/dhakacart-backend-hpa": {
            "spec": {"minReplicas": 3, "maxReplicas": 50, "scaleTargetRef": {"name": "dhakacart-backend"}},
            "status": {"currentReplicas": 3, "desiredReplicas": 3, "conditions": []},
        },
        f"/apis/policy/v1{NAMESPACE}poddisruptionbudgets/dhakacart-backend-pdb": {
            "spec": {"minAvailable": 2},
            "status": {"expectedPods": 3, "currentHealthy": 3, "desiredHealthy": 2, "disruptionsAllowed": 1},
        },
        f"/api/v1{NAMESPACE}secrets/dhakacart-secrets": secret(),
        f"/api/v1{NAMESPACE}events": [],
    }


def kubeconfig(server: str, token: str = "let-me-in") -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server}}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
    )
