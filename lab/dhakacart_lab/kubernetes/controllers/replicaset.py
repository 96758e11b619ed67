# SPDX-License-Identifier: GPL-3.0-or-later
"""ReplicaSet: as many pods as asked; surplus goes with the least useful pods first."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .. import selectors
from ..errors import ApiError
from ..kinds import POD, REPLICA_SET, Obj, clone, condition, controller_of, is_true, now, owner_reference, parse_time
from ..store import Change
from .base import Controller, Key, owned, set_status, with_condition

COMPONENT = "replicaset-controller"
RANK = {"Pending": 0, "Unknown": 1, "Running": 2}


def has_ended(pod: Obj) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Obj) -> bool:
    return not has_ended(pod) and "deletionTimestamp" not in pod["metadata"]


def ready_for(pod: Obj) -> float:
    """Seconds since the pod became ready, -1 where it is not."""
    found = condition(pod, "Ready")
    if not found or found["status"] != "True":
        return -1.0
    return (now() - parse_time(found["lastTransitionTime"])).total_seconds()


def deletion_order(pod: Obj) -> tuple[object, ...]:
    """Sorts pods so that the one to delete first is first, as kube-controller-manager ranks them."""
    status, meta = pod.get("status", {}), pod["metadata"]
    restarts = max((found.get("restartCount", 0) for found in status.get("containerStatuses", [])), default=0)
    ready = is_true(pod, "Ready")
    return (
        bool(pod["spec"].get("nodeName")),
        RANK.get(status.get("phase", "Pending"), 0),
        ready,
        int(meta.get("annotations", {}).get("controller.kubernetes.io/pod-deletion-cost", 0)),
        ready_for(pod) if ready else 0.0,
        -restarts,
        -parse_time(meta["creationTimestamp"]).timestamp(),
    )


class ReplicaSetController(Controller):
    def keys(self, change: Change) -> Iterable[Key]:
        namespace = change.obj["metadata"].get("namespace", "")
        if change.kind == REPLICA_SET:
            yield namespace, change.obj["metadata"]["name"]
        elif change.kind == POD:
            found = False
            for state in (change.obj, change.previous):
                if state and (owner := controller_of(state)) and owner["kind"] == "ReplicaSet":
                    found = True
                    yield namespace, owner["name"]
            if not found:  # an orphan may be adopted
                labels = change.obj["metadata"].get("labels")
                for replica_set in self.store.all(REPLICA_SET, namespace):
                    if selectors.matches(replica_set["spec"]["selector"], labels):
                        yield namespace, replica_set["metadata"]["name"]

    def reconcile(self, key: Key) -> float | None:
        replica_set = self.store.get(REPLICA_SET, *key)
        if replica_set is None:
            return None
        pods = [pod for pod in owned(self.registry, POD, REPLICA_SET, replica_set) if is_active(pod)]
        failure = None
        if "deletionTimestamp" not in replica_set["metadata"]:
            failure = self._manage(replica_set, pods)
        current = self.store.get(REPLICA_SET, *key)
        if current is None:
            return None
        again = self._write_status(current, failure)
        return 15.0 if failure else again

    def _manage(self, replica_set: Obj, pods: list[Obj]) -> tuple[str, str] | None:
        missing = replica_set["spec"]["replicas"] - len(pods)
        for _ in range(missing):
            try:
                pod = self.registry.create(POD, replica_set["metadata"]["namespace"], _pod_of(replica_set))
            except ApiError as error:
                self._event(replica_set, "Warning", "FailedCreate", f"Error creating: {error}")
                return "FailedCreate", str(error)
            self._event(replica_set, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        for pod in sorted(pods, key=deletion_order)[: max(0, -missing)]:
            name = pod["metadata"]["name"]
            self.registry.delete(POD, pod["metadata"]["namespace"], name)
            self._event(replica_set, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
        return None

    def _event(self, obj: Obj, event_type: str, reason: str, message: str) -> None:
        self.recorder.record(REPLICA_SET, obj, event_type, reason, message, COMPONENT)

    def _write_status(self, replica_set: Obj, failure: tuple[str, str] | None) -> float | None:
        uid = replica_set["metadata"]["uid"]
        pods = [
            pod
            for pod in self.store.all(POD, replica_set["metadata"]["namespace"])
            if (owner := controller_of(pod)) and owner["uid"] == uid and is_active(pod)
        ]
        wanted = replica_set["spec"]["template"]["metadata"].get("labels", {}).items()
        least = replica_set["spec"].get("minReadySeconds", 0)
        ages = [age for pod in pods if (age := ready_for(pod)) >= 0]
        status: Obj = {
            "replicas": len(pods),
            "fullyLabeledReplicas": sum(wanted <= pod["metadata"].get("labels", {}).items() for pod in pods),
            "readyReplicas": len(ages),
            "availableReplicas": sum(age >= least for age in ages),
            "observedGeneration": replica_set["metadata"]["generation"],
        }
        status = {key: value for key, value in status.items() if value or key in ("replicas", "observedGeneration")}
        conditions = clone(replica_set).get("status", {}).get("conditions", [])
        if failure:
            conditions = with_condition(conditions, "ReplicaFailure", "True", *failure)
        else:
            conditions = [found for found in conditions if found["type"] != "ReplicaFailure"]
        if conditions:
            status["conditions"] = conditions
        set_status(self.registry, REPLICA_SET, replica_set, status)
        waiting = [least - age for age in ages if age < least]
        return math.ceil(min(waiting)) + 0.1 if waiting else None


def _pod_of(replica_set: Obj) -> Obj:
    template = clone(replica_set["spec"]["template"])
    meta = {key: template["metadata"][key] for key in ("labels", "annotations") if template["metadata"].get(key)}
    meta["generateName"] = f"{replica_set['metadata']['name']}-"
    meta["ownerReferences"] = [owner_reference(REPLICA_SET, replica_set)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
