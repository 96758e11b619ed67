# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduler: a pod goes to the emptiest node that is ready, not cordoned, tolerated and has room."""

from __future__ import annotations

from collections.abc import Iterable

from ..kinds import NODE, POD, Obj, is_true, timestamp
from ..registry import Registry
from ..store import Change
from ..subresources import bind
from .base import Controller, Key, Recorder

COMPONENT = "default-scheduler"
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3}


def quantity(text: object) -> float:
    """A Kubernetes quantity as a number: "250m" is 0.25, "1Gi" is 1073741824."""
    value = str(text)
    for suffix, factor in UNITS.items():
        if value.endswith(suffix):
            return float(value.removesuffix(suffix)) * factor
    return float(value)


def requests_of(pod: Obj) -> dict[str, float]:
    """What a pod asks for: cpu in cores, memory in bytes."""
    total = {"cpu": 0.0, "memory": 0.0}
    for container in pod["spec"]["containers"]:
        resources = container.get("resources") or {}
        asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        for name in total:
            total[name] += quantity(asked.get(name, 0))
    return total


def tolerates(pod: Obj, taint: Obj) -> bool:
    for toleration in pod["spec"].get("tolerations") or []:
        if toleration.get("effect") not in (None, "", taint.get("effect")):
            continue
        if not toleration.get("key") and toleration.get("operator") == "Exists":
            return True
        if toleration.get("key") == taint["key"] and (
            toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
        ):
            return True
    return False


class Scheduler(Controller):
    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        super().__init__(registry, recorder)
        self._unschedulable: set[Key] = set()
        self._taken: dict[str, dict[Key, dict[str, float]]] = {}  # node → pod → what it asks for

    def keys(self, change: Change) -> Iterable[Key]:
        if change.kind == POD:
            self._account(change)
            if change.type != "DELETED" and not change.obj["spec"].get("nodeName"):
                yield change.obj["metadata"]["namespace"], change.obj["metadata"]["name"]
            elif change.type == "DELETED":
                yield from tuple(self._unschedulable)
        elif change.kind == NODE:
            yield from tuple(self._unschedulable)

    def reconcile(self, key: Key) -> float | None:
        self._unschedulable.discard(key)
        pod = self.store.get(POD, *key)
        if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return None
        reasons: dict[str, int] = {}
        fitting: list[tuple[int, str]] = []
        nodes = self.store.all(NODE)
        for node in nodes:
            name = node["metadata"]["name"]
            taken = self._taken.get(name, {})
            if reason := self._refusal(pod, node, taken):
                reasons[reason] = reasons.get(reason, 0) + 1
            else:
                fitting.append((len(taken), name))
        if not fitting:
            listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            why = f"{listed}." if nodes else "no nodes available to schedule pods"
            self._refuse(key, pod, f"0/{len(nodes)} nodes are available: {why}" if nodes else why)
            return None
        node_name = min(fitting)[1]
        if bound := bind(self.registry, pod, node_name):
            message = f"Successfully assigned {'/'.join(key)} to {node_name}"
            self.recorder.record(POD, bound, "Normal", "Scheduled", message, COMPONENT)
        return None

    def _account(self, change: Change) -> None:
        """Keep count of what the pods of each node ask for."""
        pod, node = change.obj, change.obj["spec"].get("nodeName")
        if node:
            key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
            if change.type == "DELETED" or not _uses(pod):
                self._taken.get(node, {}).pop(key, None)
            else:
                self._taken.setdefault(node, {})[key] = requests_of(pod)

    @staticmethod
    def _refusal(pod: Obj, node: Obj, taken: dict[Key, dict[str, float]]) -> str | None:
        """Why the node cannot take the pod, in the scheduler's words; None where it can."""
        spec = node.get("spec", {})
        if spec.get("unschedulable"):
            return "node(s) were unschedulable"
        for taint in spec.get("taints") or []:
            if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
                return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        if not is_true(node, "Ready"):
            return "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
        wanted = (pod["spec"].get("nodeSelector") or {}).items()
        if not wanted <= (node["metadata"].get("labels") or {}).items():
            return "node(s) didn't match Pod's node affinity/selector"
        room = node.get("status", {}).get("allocatable", {})
        if len(taken) >= quantity(room.get("pods", 110)):
            return "Too many pods"
        asked = requests_of(pod)
        for name, amount in asked.items():
            if name in room and amount and sum(used[name] for used in taken.values()) + amount > quantity(room[name]):
                return f"Insufficient {name}"
        return None

    def _refuse(self, key: Key, pod: Obj, message: str) -> None:
        self._unschedulable.add(key)
        old = (pod.get("status", {}).get("conditions") or [{}])[0]
        if old.get("message") == message:
            return
        condition: Obj = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        condition |= {"lastProbeTime": None, "lastTransitionTime": old.get("lastTransitionTime", timestamp())}

        def change(copy: Obj) -> None:
            copy["status"]["conditions"] = [condition]

        self.registry.modify(POD, pod, change, subresource="status")
        self.recorder.record(POD, pod, "Warning", "FailedScheduling", message, COMPONENT)


def _uses(pod: Obj) -> bool:
    return pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
