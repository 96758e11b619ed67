# SPDX-License-Identifier: GPL-3.0-or-later
"""Node lifecycle: a node whose kubelet no longer renews its lease becomes Unknown, a node that is not ready is tainted.

Its pods are not ready at once, and are deleted when their toleration of the taint ends. They stay Terminating until
the kubelet is back, somebody deletes them by force, or the node is taken out of the cluster.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..kinds import LEASE, NODE, POD, Obj, clone, condition, is_true, now, parse_time, timestamp
from ..registry import DeleteOptions, Registry
from ..store import Change
from .base import Controller, Key, Recorder

GRACE = 25.0  # seconds, as the lab's kube-controller-manager is told; the kubelet renews every 10
MONITOR = 2.0  # seconds, as its --node-monitor-period
LEASES = "kube-node-lease"
UNREACHABLE, NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
COMPONENT = "node-controller"
EVICTION = "taint-eviction-controller"
SILENT = "Kubelet stopped posting node status."
CONDITIONS = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")


class NodeLifecycle(Controller):
    """Conditions and taints of nodes, and the readiness of the pods on them."""

    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        super().__init__(registry, recorder)
        self._seen: dict[str, tuple[str, float]] = {}  # node → its lease's renewTime, when that was first seen

    def keys(self, change: Change) -> Iterable[Key]:
        if change.kind == NODE and change.type != "DELETED":
            before = change.previous or {}
            if any(change.obj.get(part) != before.get(part) for part in ("spec", "status")):
                for node in self.store.all(NODE):  # whether the others are well decides, too
                    yield "", node["metadata"]["name"]

    def reconcile(self, key: Key) -> float | None:
        node = self.store.get(NODE, *key)
        if node is None:
            self._seen.pop(key[1], None)
            return None
        age = self._silence(key[1], condition(node, "Ready"))
        if age > GRACE and (condition(node, "Ready") or {}).get("status") != "Unknown":
            self._lose(node)
            node = self.store.get(NODE, *key) or node
        self._taint(node)
        # not only when the grace is over: a renewal counts from when it was seen, so it is to be seen soon.
        return min(MONITOR, max(1.0, GRACE - age + 0.1))

    def _silence(self, name: str, ready: Obj | None) -> float:
        """Seconds since the kubelet was last heard of.

        A renewal counts from when it was seen: a server that was down must not give the node up at its start.
        """
        lease = self.store.get(LEASE, LEASES, name)
        heard = f"{(lease or {}).get('spec', {}).get('renewTime')} {(ready or {}).get('lastHeartbeatTime')}"
        if name not in self._seen or self._seen[name][0] != heard:
            self._seen[name] = (heard, time.monotonic())
        return time.monotonic() - self._seen[name][1]

    def _lose(self, node: Obj) -> None:
        def unknown(copy: Obj) -> None:
            present = {found["type"]: found for found in copy.setdefault("status", {}).get("conditions", [])}
            for name in CONDITIONS:
                old = present.get(name)
                reason, text = ("NodeStatusUnknown", SILENT) if old else ("NodeStatusNeverUpdated", _NEVER)
                heartbeat = (old or {}).get("lastHeartbeatTime", copy["metadata"]["creationTimestamp"])
                present[name] = {"type": name, "status": "Unknown", "reason": reason, "message": text}
                present[name] |= {"lastHeartbeatTime": heartbeat, "lastTransitionTime": timestamp()}
            copy["status"]["conditions"] = list(present.values())

        self.registry.modify(NODE, node, unknown, subresource="status")
        text = f"Node {node['metadata']['name']} status is now: NodeNotReady"
        self.recorder.record(NODE, node, "Normal", "NodeNotReady", text, COMPONENT)
        self._unready_pods(node["metadata"]["name"])

    def _taint(self, node: Obj) -> None:
        """Give the node the taints that its condition and its cordon call for, and take the others off."""
        state = (condition(node, "Ready") or {}).get("status")
        wanted: list[tuple[str, str]] = []
        if state in ("Unknown", "False"):
            key = UNREACHABLE if state == "Unknown" else NOT_READY
            wanted = [(key, "NoSchedule")]
            if any(is_true(other, "Ready") for other in self.store.all(NODE)):
                wanted.append((key, "NoExecute"))  # real: where no node is left, the fault is elsewhere; nothing moves
        if node.get("spec", {}).get("unschedulable"):
            wanted.append((UNSCHEDULABLE, "NoSchedule"))
        present: list[Obj] = node.get("spec", {}).get("taints") or []
        ours = [taint for taint in present if taint["key"] in (UNREACHABLE, NOT_READY, UNSCHEDULABLE)]
        if {(taint["key"], taint["effect"]) for taint in ours} == set(wanted):
            return

        def change(copy: Obj) -> None:
            kept = [taint for taint in present if taint not in ours or (taint["key"], taint["effect"]) in wanted]
            have = {(taint["key"], taint["effect"]) for taint in kept}
            for key, effect in wanted:
                if (key, effect) not in have:
                    kept.append({"key": key, "effect": effect, "timeAdded": timestamp()})
            copy.setdefault("spec", {}).pop("taints", None)
            if kept:
                copy["spec"]["taints"] = clone({"taints": kept})["taints"]

        self.registry.modify(NODE, node, change)

    def _unready_pods(self, name: str) -> None:
        def not_ready(copy: Obj) -> None:
            for found in copy["status"].get("conditions", []):
                if found["type"] == "Ready" and found["status"] == "True":
                    found |= {"status": "False", "lastTransitionTime": timestamp()}

        for pod in self.store.all(POD):
            if pod["spec"].get("nodeName") == name and is_true(pod, "Ready"):
                self.registry.modify(POD, pod, not_ready, subresource="status")
                self.recorder.record(POD, pod, "Warning", "NodeNotReady", "Node is not ready", COMPONENT)


_NEVER = "Kubelet never posted node status."


class TaintEviction(Controller):
    """Deletes the pods that no longer tolerate a NoExecute taint of their node."""

    def keys(self, change: Change) -> Iterable[Key]:
        if change.kind == NODE and change.type != "DELETED":
            before = (change.previous or {}).get("spec", {}).get("taints")
            if change.obj.get("spec", {}).get("taints") != before:
                name = change.obj["metadata"]["name"]
                for pod in self.store.all(POD):
                    if pod["spec"].get("nodeName") == name:
                        yield pod["metadata"]["namespace"], pod["metadata"]["name"]
        elif change.kind == POD and change.type != "DELETED":
            bound = not (change.previous or {}).get("spec", {}).get("nodeName")
            if bound and change.obj["spec"].get("nodeName"):
                yield change.obj["metadata"]["namespace"], change.obj["metadata"]["name"]

    def reconcile(self, key: Key) -> float | None:
        pod = self.store.get(POD, *key)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return None
        node = self.store.get(NODE, "", pod["spec"].get("nodeName", ""))
        taints = [t for t in (node or {}).get("spec", {}).get("taints") or [] if t["effect"] == "NoExecute"]
        if not taints:
            return None
        waits = [_tolerated_for(pod, taint) for taint in taints]
        left = min((wait for wait in waits if wait is not None), default=None)
        if left is None:
            return None
        if left > 0:
            return left
        name = f"{key[0]}/{key[1]}"
        self.recorder.record(POD, pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {name}", EVICTION)

        def disrupted(copy: Obj) -> None:
            conditions = [c for c in copy["status"].get("conditions", []) if c["type"] != "DisruptionTarget"]
            text = "Taint manager: deleting due to NoExecute taint"
            conditions.append({"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager",
                               "message": text, "lastProbeTime": None, "lastTransitionTime": timestamp()})  # fmt: skip
            copy["status"]["conditions"] = conditions

        self.registry.modify(POD, pod, disrupted, subresource="status")
        self.registry.delete(POD, *key, DeleteOptions(uid=pod["metadata"]["uid"]))
        return None


def _tolerated_for(pod: Obj, taint: Obj) -> float | None:
    """Seconds for which the pod still tolerates a taint; None for ever."""
    limits: list[float] = []
    for toleration in pod["spec"].get("tolerations") or []:
        key, effect = toleration.get("key"), toleration.get("effect")
        same_value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
        if key not in (None, "", taint["key"]) or effect not in (None, "", "NoExecute") or not same_value:
            continue
        if toleration.get("tolerationSeconds") is None:
            return None
        limits.append(float(toleration["tolerationSeconds"]))
    if not limits:
        return 0.0
    added = taint.get("timeAdded")
    return min(limits) - ((now() - parse_time(added)).total_seconds() if added else 0.0)
