# SPDX-License-Identifier: GPL-3.0-or-later
"""A Deployment's status: counts, and the conditions Available and Progressing."""

from __future__ import annotations

from ..kinds import DEPLOYMENT, Obj, clone, condition, now, parse_time, scaled, timestamp
from ..registry import Registry
from .base import set_status, with_condition

REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"


def revision_of(replica_set: Obj) -> int:
    return int(replica_set["metadata"].get("annotations", {}).get(REVISION, 0))


def total(sets: list[Obj], part: str, field: str = "replicas") -> int:
    return sum(found.get(part, {}).get(field, 0) for found in sets)


def is_complete(deployment: Obj, new: Obj) -> bool:
    """All pods are of the new ReplicaSet and available, as the last written status has it."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    return all(
        status.get(field, 0) == wanted for field in ("updatedReplicas", "replicas", "availableReplicas")
    ) and bool(status.get("observedGeneration", 0) >= deployment["metadata"]["generation"] and new)


def write(registry: Registry, deployment: Obj, new: Obj | None, old: list[Obj]) -> float | None:
    """Write the status; the seconds until the progress deadline has to be looked at, None where there is none."""
    before = deployment.get("status", {})
    sets = [*old, *([new] if new else [])]
    spec, wanted = deployment["spec"], deployment["spec"]["replicas"]
    available = total(sets, "status", "availableReplicas")
    counts = {
        "replicas": total(sets, "status"),
        "updatedReplicas": total([new] if new else [], "status"),
        "readyReplicas": total(sets, "status", "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(sets, "spec") - available),
    }
    status: Obj = {"observedGeneration": deployment["metadata"]["generation"]}
    status |= {key: value for key, value in counts.items() if value}
    conditions: list[Obj] = clone(before).get("conditions", [])
    conditions = _available(deployment, available, conditions)
    conditions, again = _progressing(deployment, new, counts, conditions)
    failures = [found for rs in sets if (found := condition(rs, "ReplicaFailure"))]
    if failures:
        first = failures[0]
        conditions = with_condition(
            conditions, "ReplicaFailure", "True", first["reason"], first["message"], updates=True
        )
    else:
        conditions = [found for found in conditions if found["type"] != "ReplicaFailure"]
    status["conditions"] = conditions
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    set_status(registry, DEPLOYMENT, deployment, status)
    return again if not spec.get("paused") and wanted is not None else None


def _available(deployment: Obj, available: int, conditions: list[Obj]) -> list[Obj]:
    wanted, missing = deployment["spec"]["replicas"], 0
    if deployment["spec"]["strategy"]["type"] == "RollingUpdate":
        rolling = deployment["spec"]["strategy"]["rollingUpdate"]
        missing = min(wanted, scaled(rolling["maxUnavailable"], wanted, round_up=False))
        if not missing and not scaled(rolling["maxSurge"], wanted, round_up=True):
            missing = 1
    if available >= wanted - missing:
        args = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        args = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return with_condition(conditions, "Available", *args, updates=True)


def _progressing(
    deployment: Obj, new: Obj | None, counts: Obj, conditions: list[Obj]
) -> tuple[list[Obj], float | None]:
    old = next((found for found in conditions if found["type"] == "Progressing"), None)
    before, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    name = new["metadata"]["name"] if new else ""
    if deployment["spec"].get("paused"):
        if old and old["reason"] == "DeploymentPaused":
            return conditions, None
        message = "Deployment is paused"
        return with_condition(conditions, "Progressing", "Unknown", "DeploymentPaused", message, updates=True), None
    if old and old["reason"] == "DeploymentPaused":
        text = "Deployment is resumed"
        conditions = with_condition(conditions, "Progressing", "Unknown", "DeploymentResumed", text, updates=True)
        old = next(found for found in conditions if found["type"] == "Progressing")
    subject = f'ReplicaSet "{name}"'
    complete = all(counts[field] == wanted for field in ("updatedReplicas", "replicas", "availableReplicas"))
    steady = old and old["reason"] == "NewReplicaSetAvailable" and before.get("replicas", 0) == before.get(
        "updatedReplicas", 0)  # fmt: skip
    if complete and new:
        text = f"{subject} has successfully progressed."
        return with_condition(conditions, "Progressing", "True", "NewReplicaSetAvailable", text, updates=True), None
    if steady and counts["replicas"] == counts["updatedReplicas"]:
        return conditions, None  # real: a finished rollout that loses pods does not become progressing again
    another = old is not None and old["reason"] == "NewReplicaSetAvailable" and name not in old["message"]
    if old is None or another or _moved(before, counts):
        reason, text = ("ReplicaSetUpdated", f"{subject} is progressing.")
        if old is None and new and not new.get("status"):
            reason, text = "NewReplicaSetCreated", f'Created new replica set "{name}"'
        conditions = [found for found in conditions if found["type"] != "Progressing"]
        since = old["lastTransitionTime"] if old and old["status"] == "True" else timestamp()
        fresh = {"type": "Progressing", "status": "True", "reason": reason, "message": text}
        conditions.append({**fresh, "lastUpdateTime": timestamp(), "lastTransitionTime": since})
        return conditions, float(deadline) + 0.5 if deadline else None
    if deadline is None or old["reason"] == "ProgressDeadlineExceeded":
        return conditions, None
    left = deadline - (now() - parse_time(old["lastUpdateTime"])).total_seconds()
    if left > 0:
        return conditions, left + 0.5
    text = f"{subject} has timed out progressing."
    return with_condition(conditions, "Progressing", "False", "ProgressDeadlineExceeded", text, updates=True), None


def _moved(before: Obj, counts: Obj) -> bool:
    """Whether the rollout came forward since the status was last written."""
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    return bool(
        counts["updatedReplicas"] > before.get("updatedReplicas", 0)
        or counts["replicas"] - counts["updatedReplicas"] < old_before
        or counts["readyReplicas"] > before.get("readyReplicas", 0)
        or counts["availableReplicas"] > before.get("availableReplicas", 0)
    )
