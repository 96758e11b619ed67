# SPDX-License-Identifier: GPL-3.0-or-later
"""The subresources with rules of their own: scale, eviction, binding."""

from __future__ import annotations

from typing import Any

from . import selectors
from .errors import ApiError, success
from .kinds import PDB, POD, Kind, Obj, is_true, now, timestamp
from .managed_fields import Manager
from .registry import DeleteOptions, Registry, apply_patch
from .store import Store


def scale_of(obj: Obj) -> Obj:
    """The autoscaling/v1 Scale of a Deployment or ReplicaSet."""
    meta = obj["metadata"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")},
        "spec": {"replicas": obj["spec"]["replicas"]} if obj["spec"]["replicas"] else {},  # real: 0 is left out
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": selectors.as_text(obj["spec"]["selector"]),
        },
    }


def patched_scale(obj: Obj, patch: Any, content_type: str) -> Obj:
    """The Scale of an object after a patch."""
    return apply_patch("@Scale", scale_of(obj), patch, content_type)


def write_scale(registry: Registry, kind: Kind, current: Obj, scale: Obj, manager: Manager, *, dry_run: bool) -> Obj:
    """Set the replicas that ``scale`` says."""
    meta = current["metadata"]
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    wanted = {**current, "spec": {**current["spec"], "replicas": replicas}, "metadata": dict(meta)}
    if version := (scale.get("metadata") or {}).get("resourceVersion"):
        wanted["metadata"]["resourceVersion"] = version
    written = registry.update(kind, meta["namespace"], meta["name"], wanted, dry_run=dry_run, manager=manager)
    return scale_of(written)


def budgets_of(store: Store, pod: Obj) -> list[Obj]:
    """The disruption budgets that select the pod."""
    meta = pod["metadata"]
    return [
        budget
        for budget in store.all(PDB, meta["namespace"])
        if selectors.matches(budget["spec"].get("selector"), meta.get("labels"))
    ]


def evict(registry: Registry, namespace: str, name: str, options: DeleteOptions, *, dry_run: bool) -> Obj:
    """Delete the pod if its disruption budget allows; ApiError 429 where it does not."""
    pod = registry.get(POD, namespace, name)
    phase = pod.get("status", {}).get("phase")
    if phase in ("Succeeded", "Failed", "Pending") or pod["metadata"].get("deletionTimestamp"):
        registry.delete(POD, namespace, name, options, dry_run=dry_run)
        return success(code=201)
    budgets = budgets_of(registry.store, pod)
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(500, "", message)
    for budget in budgets:
        if not is_true(pod, "Ready") and _healthy_enough(budget):
            continue
        _spend(registry, budget, name, dry_run=dry_run)
    registry.delete(POD, namespace, name, options, dry_run=dry_run)
    return success(code=201)


def _healthy_enough(budget: Obj) -> bool:
    status = budget.get("status", {})
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = status.get("desiredHealthy", 0)
    return bool(desired > 0 and status.get("currentHealthy", 0) >= desired)


def _spend(registry: Registry, budget: Obj, pod: str, *, dry_run: bool) -> None:
    meta, status = budget["metadata"], budget.get("status", {})
    refusal = "Cannot evict pod as it would violate the pod's disruption budget."
    if status.get("observedGeneration", 0) < meta["generation"]:
        why = f"The disruption budget {meta['name']} is still being processed by the server."
        raise ApiError(429, "TooManyRequests", refusal, causes=[("", "DisruptionBudget", why)], retry_after=10)
    if status.get("disruptionsAllowed", 0) <= 0:
        why = (
            f"The disruption budget {meta['name']} needs {status.get('desiredHealthy', 0)} healthy pods and has"
            f" {status.get('currentHealthy', 0)} currently"
        )
        raise ApiError(429, "TooManyRequests", refusal, causes=[("", "DisruptionBudget", why)])
    if dry_run:
        return

    def change(copy: Obj) -> None:
        copy["status"]["disruptionsAllowed"] -= 1
        copy["status"].setdefault("disruptedPods", {})[pod] = timestamp()

    registry.modify(PDB, budget, change, subresource="status")


def bind(registry: Registry, pod: Obj, node: str) -> Obj | None:
    """Put a pod on a node, as the scheduler does."""

    def change(copy: Obj) -> None:
        copy["spec"]["nodeName"] = node

    def scheduled(copy: Obj) -> None:
        copy.setdefault("status", {})["conditions"] = [
            {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": timestamp(now())}
        ]

    if registry.modify(POD, pod, scheduled, subresource="status") is None:
        return None
    return registry.modify(POD, pod, change)
