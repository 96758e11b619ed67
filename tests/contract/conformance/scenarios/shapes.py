# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that the scenarios start from."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
NOBODY = "nobody"  # a scheduler that does not exist: such a pod stays as it was made


def config_map(name: str = "m", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def container(**more: Any) -> Object:
    return {"name": "c", "image": "shop/backend:1.0", **more}


def pod(name: str = "p", labels: Object | None = None, **spec: Any) -> Object:
    meta: Object = {"name": name, **({"labels": labels} if labels else {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"schedulerName": NOBODY, "containers": [container()], **spec},
    }


def template(app: str = "web", **spec: Any) -> Object:
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"schedulerName": NOBODY, "containers": [container()], **spec},
    }


def deployment(name: str = "web", **spec: Any) -> Object:
    """Paused, so that no controller adds to it while it is looked at, unless ``paused`` says otherwise."""
    spec = {"paused": True, "selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def replica_set(name: str = "rs", **spec: Any) -> Object:
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name}, "spec": spec}


def service(name: str = "s", **spec: Any) -> Object:
    spec = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def budget(name: str = "b", app: str = "web", **spec: Any) -> Object:
    spec = {"selector": {"matchLabels": {"app": app}}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}


def autoscaler(name: str = "h", **spec: Any) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": target, "maxReplicas": 3, **spec},
    }


def lease(name: str = "lock", **spec: Any) -> Object:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}


def event(name: str = "e", namespace: str = "", **more: Any) -> Object:
    about = {"kind": "Pod", "name": "p", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": about, **more}
