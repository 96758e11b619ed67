# SPDX-License-Identifier: GPL-3.0-or-later
"""Node lifecycle: a node whose kubelet no longer renews its lease becomes Unknown, and its pods not ready.

The eviction of its pods after five minutes is not simulated: there is no second node to take them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..kinds import LEASE, NODE, POD, Obj, condition, timestamp
from ..registry import Registry
from ..store import Change
from .base import Controller, Key, Recorder, with_condition

GRACE = 40.0  # seconds, kube-controller-manager's --node-monitor-grace-period
LEASES = "kube-node-lease"
UNREACHABLE = "node.kubernetes.io/unreachable"


class NodeLifecycle(Controller):
    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        super().__init__(registry, recorder)
        self._seen: dict[str, tuple[str, float]] = {}  # node → its lease's renewTime, when that was first seen

    def keys(self, change: Change) -> Iterable[Key]:
        if (change.kind == NODE and change.type == "ADDED") or (change.kind == NODE and _tainted(change.obj)):
            yield "", change.obj["metadata"]["name"]

    def reconcile(self, key: Key) -> float | None:
        node = self.store.get(NODE, *key)
        if node is None:
            return None
        lease = self.store.get(LEASE, LEASES, key[1])
        renewed = str(lease["spec"].get("renewTime")) if lease else ""
        # a renewal counts from when it was seen: a server that was down must not give the node up at its start.
        if self._seen.get(key[1], ("", 0.0))[0] != renewed or key[1] not in self._seen:
            self._seen[key[1]] = (renewed, time.monotonic())
        age = time.monotonic() - self._seen[key[1]][1]
        if age <= GRACE:
            if _tainted(node) and (condition(node, "Ready") or {}).get("status") == "True":
                self.registry.modify(NODE, node, _untaint)
            return max(1.0, GRACE - age + 0.1)
        if (condition(node, "Ready") or {}).get("status") != "Unknown":
            self._lose(node)
        return 5.0

    def _lose(self, node: Obj) -> None:
        text = "Kubelet stopped posting node status."

        def unknown(copy: Obj) -> None:
            conditions = copy.setdefault("status", {}).get("conditions", [])
            copy["status"]["conditions"] = with_condition(conditions, "Ready", "Unknown", "NodeStatusUnknown", text)

        def taint(copy: Obj) -> None:
            taints = copy.setdefault("spec", {}).setdefault("taints", [])
            for effect in ("NoSchedule", "NoExecute"):
                taints.append({"key": UNREACHABLE, "effect": effect, "timeAdded": timestamp()})

        def not_ready(copy: Obj) -> None:
            for found in copy["status"].get("conditions", []):
                if found["type"] == "Ready" and found["status"] == "True":
                    found |= {"status": "False", "lastTransitionTime": timestamp()}

        self.registry.modify(NODE, node, unknown, subresource="status")
        self.registry.modify(NODE, node, taint)
        self.recorder.record(
            NODE, node, "Normal", "NodeNotReady", f"Node {node['metadata']['name']} status is now: NodeNotReady",
            "node-controller",
        )  # fmt: skip
        for pod in self.store.all(POD):
            if pod["spec"].get("nodeName") == node["metadata"]["name"]:
                self.registry.modify(POD, pod, not_ready, subresource="status")


def _tainted(node: Obj) -> bool:
    return any(taint["key"] == UNREACHABLE for taint in node.get("spec", {}).get("taints") or [])


def _untaint(copy: Obj) -> None:
    copy["spec"]["taints"] = [taint for taint in copy["spec"]["taints"] if taint["key"] != UNREACHABLE]
    if not copy["spec"]["taints"]:
        del copy["spec"]["taints"]
