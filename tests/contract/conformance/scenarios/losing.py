# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that are cordoned, not ready or lost, and what becomes of their pods. We are the nodes' kubelets."""

from __future__ import annotations

import secrets
import time
from typing import Any

from ..scenario import STRATEGIC_PATCH, Kube, Object, scenario
from .shapes import container, pod

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
PATIENCE = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
    for key in ("not-ready", "unreachable")
]


class Nodes:
    """Two nodes of ours; one of them stays well."""

    def __init__(self, k: Kube) -> None:
        self.k = k
        mark = secrets.token_hex(3)
        self.well, self.ill = f"well-{mark}", f"ill-{mark}"
        k.transcript._normaliser.generated |= {self.well: "<well>", self.ill: "<ill>"}
        for name in (self.well, self.ill):
            k.send("POST", "/api/v1/nodes", {"metadata": {"name": name, "labels": {"name": name}}}, record=False)
            self.report(name, "True")

    def report(self, name: str, ready: str) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        conditions = [
            {
                "type": "Ready",
                "status": ready,
                "reason": "KubeletReady",
                "message": "",
                "lastHeartbeatTime": moment,
                "lastTransitionTime": moment,
            }
        ]
        capacity = {"cpu": "1", "memory": "1Gi", "pods": "10"}
        status = {"conditions": conditions, "capacity": capacity, "allocatable": capacity}
        self.k.send(
            "PATCH",
            f"/api/v1/nodes/{name}/status",
            {"status": status},
            headers={"Content-Type": STRATEGIC_PATCH},
            record=False,
        )

    def see(self, name: str) -> Object:
        body: Object = self.k.send("GET", f"/api/v1/nodes/{name}", record=False).body
        return body

    def taints(self, name: str) -> list[Any]:
        return sorted([t["key"], t["effect"], "timeAdded" in t] for t in self.see(name)["spec"].get("taints", []))

    def ready(self, name: str) -> list[str]:
        found = [c for c in self.see(name)["status"].get("conditions", []) if c["type"] == "Ready"]
        return [found[0].get(key) for key in ("status", "reason", "message")] if found else []

    def patch(self, name: str, body: Object) -> None:
        headers = {"Content-Type": STRATEGIC_PATCH}
        self.k.send("PATCH", f"/api/v1/nodes/{name}", body, headers=headers, record=False)

    def end(self) -> None:
        for found in self.k.see("pods")["items"]:
            self.k.delete("pods", found["metadata"]["name"], query={"gracePeriodSeconds": "0"}, record=False)
        for name in (self.well, self.ill):
            self.k.send("DELETE", f"/api/v1/nodes/{name}", record=False)


def running(k: Kube, name: str, node: str) -> None:
    k.create("pods", pod(name, nodeName=node, tolerations=PATIENCE), record=False)
    conditions = [{"type": "Ready", "status": "True"}]
    k.patch("pods", name, {"status": {"phase": "Running", "conditions": conditions}}, sub="status", record=False)


def condition(k: Kube, name: str, kind: str = "Ready") -> list[str | None]:
    for found in k.see("pods", name).get("status", {}).get("conditions", []):
        if found["type"] == kind:
            return [found.get(key) for key in ("status", "reason", "message")]
    return []


def reasons(k: Kube, name: str) -> list[list[str]]:
    query = {"fieldSelector": f"involvedObject.name={name}"}
    listed = k.get("events", query=query, record=False).body["items"]
    return sorted([e["type"], e["reason"], e["message"]] for e in listed)


@scenario
def nodes_that_are_lost(k: Kube) -> None:
    nodes = Nodes(k)
    try:
        k.until("no taints", lambda: not nodes.taints(nodes.well) and not nodes.taints(nodes.ill))
        running(k, "p", nodes.ill)
        running(k, "other", nodes.well)
        nodes.report(nodes.ill, "False")
        k.until("tainted", lambda: len(nodes.taints(nodes.ill)) == 2)
        k.transcript.note("taints of a node that is not ready", nodes.taints(nodes.ill))
        k.until("evicted", lambda: "deletionTimestamp" in k.see("pods", "p")["metadata"])
        k.transcript.note("its readiness is its kubelet's to say", condition(k, "p"))
        k.transcript.note("why it goes", condition(k, "p", "DisruptionTarget"))
        k.until("an event", lambda: any(r[1] == "TaintManagerEviction" for r in reasons(k, "p")))
        k.transcript.note("events", reasons(k, "p"))
        k.transcript.note(
            "the other pod", [condition(k, "other"), "deletionTimestamp" in k.see("pods", "other")["metadata"]]
        )
        time.sleep(1)
        k.transcript.note("it stays, terminating", k.get("pods", "p", record=False).code)
        nodes.report(nodes.ill, "True")
        k.until("taints off", lambda: not nodes.taints(nodes.ill))
        k.delete("pods", "p", query={"gracePeriodSeconds": "0"}, view=lambda body: body["kind"])
        k.transcript.note("by force it is gone", k.get("pods", "p", record=False).code)
        nodes.patch(nodes.ill, {"spec": {"unschedulable": True}})
        k.until("cordoned", lambda: nodes.taints(nodes.ill))
        k.transcript.note("taints of a cordoned node", nodes.taints(nodes.ill))
        nodes.patch(nodes.ill, {"spec": {"unschedulable": None}})
        k.until("uncordoned", lambda: not nodes.taints(nodes.ill))
    finally:
        nodes.end()


@scenario
def nodes_that_fall_silent(k: Kube) -> None:
    nodes = Nodes(k)
    try:
        running(k, "p", nodes.ill)

        def silent() -> bool:
            nodes.report(nodes.well, "True")
            time.sleep(0.5)
            return nodes.ready(nodes.ill)[:1] == ["Unknown"]

        k.until("unknown", silent, timeout=70)
        k.transcript.note("its condition", nodes.ready(nodes.ill))
        k.until("tainted", lambda: silent() and len(nodes.taints(nodes.ill)) == 2)
        k.transcript.note("its taints", nodes.taints(nodes.ill))
        k.until("its pod is not ready", lambda: silent() and condition(k, "p")[0] == "False")
        k.until("an event", lambda: silent() and any(r[1] == "NodeNotReady" for r in reasons(k, "p")))
        k.transcript.note("its pod", [condition(k, "p"), [r for r in reasons(k, "p") if r[1] == "NodeNotReady"]])
        k.until("evicted", lambda: silent() and "deletionTimestamp" in k.see("pods", "p")["metadata"])
    finally:
        nodes.end()


@scenario
def scheduling(k: Kube) -> None:
    nodes = Nodes(k)
    try:
        k.until("no taints", lambda: not nodes.taints(nodes.well) and not nodes.taints(nodes.ill))
        default = {"schedulerName": "default-scheduler"}
        nodes.patch(nodes.ill, {"spec": {"unschedulable": True}})
        k.until("cordoned", lambda: nodes.taints(nodes.ill))
        for name, spec in (
            ("elsewhere", {"nodeSelector": {"name": "none"}}),
            ("big", {"containers": [container(resources={"requests": {"cpu": "2"}})]}),
            ("huge", {"containers": [container(resources={"requests": {"cpu": "2", "memory": "2Gi"}})]}),
        ):
            k.create("pods", pod(name, **default, **spec), record=False)
            k.until("refused", lambda name=name: condition(k, name, "PodScheduled"))
            k.transcript.note(name, condition(k, name, "PodScheduled"))
        k.create("pods", pod("fits", **default), record=False)
        k.until("bound", lambda: k.see("pods", "fits")["spec"].get("nodeName"))
        k.transcript.note(
            "where it fits", [k.see("pods", "fits")["spec"]["nodeName"], condition(k, "fits", "PodScheduled")]
        )
        k.until("an event", lambda: reasons(k, "fits"))
        k.transcript.note("events", reasons(k, "fits"))
    finally:
        nodes.end()
