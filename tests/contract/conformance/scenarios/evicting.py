# SPDX-License-Identifier: GPL-3.0-or-later
"""Evictions and what a PodDisruptionBudget says of them."""

from __future__ import annotations

from typing import Any

from ..scenario import Kube, scenario
from .shapes import budget, pod

BUDGETS = "policy/poddisruptionbudgets"
NODE = "no-such-node"


def running(k: Kube, name: str, app: str = "web", *, ready: bool = True) -> None:
    """A pod that its kubelet reports as running; there is none, so we report it."""
    k.create("pods", pod(name, {"app": app}, nodeName=NODE), record=False)
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    k.patch("pods", name, {"status": {"phase": "Running", "conditions": conditions}}, sub="status", record=False)


def evict(k: Kube, name: str, body: dict[str, Any] | None = None, **more: Any) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, **(body or {})}
    k.send("POST", k.path("pods", name, "eviction"), eviction, **more)


def settled(k: Kube, name: str, healthy: int) -> None:
    def probe() -> bool:
        found = k.see(BUDGETS, name)
        status = found.get("status", {})
        return (
            status.get("observedGeneration") == found["metadata"]["generation"]
            and status.get("currentHealthy") == healthy
        )

    k.until(f"budget {name}", probe)


def counts(body: dict[str, Any]) -> Any:
    return body.get("status", body) if body["kind"] != "Status" else body


@scenario
def evictions(k: Kube) -> None:
    home = f"/api/v1/nodes/{NODE}"
    k.send("POST", "/api/v1/nodes", {"metadata": {"name": NODE}}, record=False)
    for name in ("a", "b", "c"):
        running(k, name)
    k.create(BUDGETS, budget(minAvailable=2), view=lambda body: body["spec"])
    settled(k, "b", 3)
    k.get(BUDGETS, "b", view=counts)
    evict(k, "a", query={"dryRun": "All"})
    evict(k, "a", {"deleteOptions": {"dryRun": ["All"]}})
    k.get(BUDGETS, "b", view=counts)
    evict(k, "a", {"deleteOptions": {"gracePeriodSeconds": 5}})
    k.get(
        "pods",
        "a",
        view=lambda body: [
            body["metadata"].get("deletionGracePeriodSeconds"),
            body["metadata"].get("deletionTimestamp"),
        ],
    )
    evict(k, "b")
    settled(k, "b", 2)
    k.get(BUDGETS, "b", view=counts)
    evict(k, "b")
    evict(k, "b", query={"dryRun": "All"})
    evict(k, "a")
    k.create(BUDGETS, budget("second", minAvailable=1), record=False)
    settled(k, "second", 2)
    evict(k, "b")
    k.delete(BUDGETS, "second", record=False)
    evict(k, "b", {"metadata": {"name": "c"}})
    evict(k, "zz")
    k.send(
        "POST",
        k.path("pods", "b", "eviction"),
        {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "b"}},
    )
    k.send("POST", k.path("pods", "b", "eviction"), {"metadata": {"name": "b"}})
    k.send("POST", k.path("pods", "b", "eviction"), {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "b"}})
    running(k, "sick", ready=False)
    evict(k, "sick")
    k.patch(BUDGETS, "b", {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}, view=lambda body: body["spec"])
    running(k, "sick2", ready=False)
    settled(k, "b", 2)
    evict(k, "sick2")
    k.create("pods", pod("pending", {"app": "web"}), record=False)
    evict(k, "pending")
    running(k, "free", "other")
    evict(k, "free", {"deleteOptions": {"preconditions": {"uid": "other"}}})
    evict(k, "free")
    k.create(BUDGETS, budget("percent", "other", maxUnavailable="50%"), record=False)
    for name in ("a", "b", "c", "sick", "sick2", "free"):
        k.delete("pods", name, query={"gracePeriodSeconds": "0"}, record=False)
    k.send("DELETE", home, record=False)
