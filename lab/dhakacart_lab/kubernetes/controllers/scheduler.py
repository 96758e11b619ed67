# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduler: a pod goes to the emptiest node that is ready, not cordoned, tolerated and has room."""

from __future__ import annotations

from collections.abc import Iterable

from ..kinds import NODE, POD, Obj, is_true, timestamp
from ..quantities import quantity as quantity
from ..registry import Registry
from ..store import Change
from ..subresources import bind
from .base import Controller, Key, Recorder

COMPONENT = "default-scheduler"


NO_HELP, VICTIMS = "Preemption is not helpful for scheduling", "No preemption victims found for incoming pod"


def _listed(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


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
        if pod is None or pod["spec"].get("schedulerName") != COMPONENT:
            return None
        if pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return None
        reasons: dict[str, int] = {}
        preemption: dict[str, int] = {}
        fitting: list[tuple[int, str]] = []
        nodes = self.store.all(NODE)
        for node in nodes:
            name = node["metadata"]["name"]
            taken = self._taken.get(name, {})
            if refusals := self._refusals(pod, node, taken):
                for reason in refusals:
                    reasons[reason] = reasons.get(reason, 0) + 1
                help_ = VICTIMS if self._could_fit(pod, node, refusals) else NO_HELP
                preemption[help_] = preemption.get(help_, 0) + 1
            else:
                fitting.append((len(taken), name))
        if not fitting:
            none = f"0/{len(nodes)} nodes are available:"
            why = f"{none} {_listed(reasons)}. no new claims to deallocate, preemption: {none} {_listed(preemption)}."
            self._refuse(key, pod, why if nodes else "no nodes available to schedule pods")
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
    def _refusals(pod: Obj, node: Obj, taken: dict[Key, dict[str, float]]) -> list[str]:
        """Why the node cannot take the pod, in the scheduler's words; empty where it can."""
        spec = node.get("spec", {})
        if spec.get("unschedulable"):
            return ["node(s) were unschedulable"]
        for taint in spec.get("taints") or []:
            if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
                return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
        if not is_true(node, "Ready"):
            return ["node(s) had untolerated taint {node.kubernetes.io/not-ready: }"]
        wanted = (pod["spec"].get("nodeSelector") or {}).items()
        if not wanted <= (node["metadata"].get("labels") or {}).items():
            return ["node(s) didn't match Pod's node affinity/selector"]
        room = node.get("status", {}).get("allocatable", {})
        if len(taken) >= quantity(room.get("pods", 110)):
            return ["Too many pods"]
        asked = requests_of(pod)
        return [
            f"Insufficient {name}"
            for name, amount in asked.items()
            if name in room and amount and sum(used[name] for used in taken.values()) + amount > quantity(room[name])
        ]

    @staticmethod
    def _could_fit(pod: Obj, node: Obj, refusals: list[str]) -> bool:
        """Whether the node would be large enough if others went."""
        room = node.get("status", {}).get("allocatable", {})
        asked = requests_of(pod)
        small = any(name in room and amount > quantity(room[name]) for name, amount in asked.items())
        return not small and all(reason.startswith(("Insufficient", "Too many")) for reason in refusals)

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
