# SPDX-License-Identifier: GPL-3.0-or-later
"""PodDisruptionBudget status: how many pods an eviction may still take."""

from __future__ import annotations

from collections.abc import Iterable

from .. import selectors
from ..kinds import DEPLOYMENT, PDB, POD, REPLICA_SET, Obj, clone, controller_of, is_true, now, parse_time, scaled
from ..store import Change
from .base import Controller, Key, selected_pods, set_status, with_condition
from .replicaset import has_ended, is_active

EVICTION_TIMEOUT = 120.0  # seconds after which an eviction that deleted nothing is forgotten


class Disruption(Controller):
    def keys(self, change: Change) -> Iterable[Key]:
        namespace = change.obj["metadata"].get("namespace", "")
        if change.kind == PDB:
            yield namespace, change.obj["metadata"]["name"]
        elif change.kind in (POD, REPLICA_SET, DEPLOYMENT):
            for budget in self.store.all(PDB, namespace):
                labels = [state["metadata"].get("labels") for state in (change.obj, change.previous) if state]
                if change.kind != POD or any(
                    selectors.matches(budget["spec"].get("selector"), found) for found in labels
                ):
                    yield namespace, budget["metadata"]["name"]

    def reconcile(self, key: Key) -> float | None:
        budget = self.store.get(PDB, *key)
        if budget is None:
            return None
        spec, before = budget["spec"], budget.get("status", {})
        pods = [pod for pod in selected_pods(self.registry, key[0], spec.get("selector")) if not has_ended(pod)]
        expected, desired = self._sizes(spec, pods)
        names = {pod["metadata"]["name"] for pod in pods if is_active(pod)}
        disrupted = {
            name: since
            for name, since in before.get("disruptedPods", {}).items()
            if name in names and (now() - parse_time(since)).total_seconds() < EVICTION_TIMEOUT
        }
        healthy = sum(
            is_active(pod) and is_true(pod, "Ready") and pod["metadata"]["name"] not in disrupted for pod in pods
        )
        allowed = max(0, healthy - desired) if expected > 0 else 0
        if allowed:
            args = ("DisruptionAllowed", "True", "SufficientPods", "")
        else:
            args = ("DisruptionAllowed", "False", "InsufficientPods", "")
        conditions = with_condition(clone(before).get("conditions", []), *args)
        for found in conditions:
            found["observedGeneration"] = budget["metadata"]["generation"]
        status: Obj = {
            "conditions": conditions,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"]["generation"],
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        set_status(self.registry, PDB, budget, status)
        return EVICTION_TIMEOUT if disrupted else None

    def _sizes(self, spec: Obj, pods: list[Obj]) -> tuple[int, int]:
        """(expected pods, pods that must stay healthy); a percentage counts what the controllers ask for."""
        if "maxUnavailable" in spec:
            expected = self._asked_for(pods)
            return expected, max(0, expected - scaled(spec["maxUnavailable"], expected, round_up=True))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self._asked_for(pods)
        return expected, scaled(least, expected, round_up=True)

    def _asked_for(self, pods: list[Obj]) -> int:
        sizes: dict[str, int] = {}
        for pod in pods:
            namespace, owner = pod["metadata"]["namespace"], controller_of(pod)
            replica_set = self.store.get(REPLICA_SET, namespace, owner["name"]) if owner else None
            if replica_set is None:
                continue
            above = controller_of(replica_set)
            deployment = self.store.get(DEPLOYMENT, namespace, above["name"]) if above else None
            scalable = deployment or replica_set
            sizes[scalable["metadata"]["uid"]] = scalable["spec"]["replicas"]
        return sum(sizes.values())
