# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployment: one ReplicaSet a template, rolled over as kube-controller-manager does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from ..kinds import DEPLOYMENT, REPLICA_SET, Obj, clone, controller_of, owner_reference, scaled
from ..registry import SAFE
from ..store import Change
from . import rollout_status
from .base import Controller, Key, owned
from .rollout_status import DESIRED, MAX_REPLICAS, REVISION, is_complete, revision_of, total

COMPONENT = "deployment-controller"
HISTORY = "deployment.kubernetes.io/revision-history"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
NOT_COPIED = {REVISION, HISTORY, DESIRED, MAX_REPLICAS, LAST_APPLIED, "deprecated.deployment.rollback.to"}
HASH = "pod-template-hash"


def template_hash(template: Obj) -> str:
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(SAFE[byte % len(SAFE)] for byte in digest[:10])


def same_template(replica_set: Obj, template: Obj) -> bool:
    found = clone(replica_set["spec"]["template"])
    found["metadata"].get("labels", {}).pop(HASH, None)
    return bool(found == template)


def _saturated(replica_set: Obj, wanted: int) -> bool:
    """Whether the ReplicaSet alone serves all that is asked, and was scaled for that."""
    sizes = {replica_set["spec"]["replicas"], replica_set.get("status", {}).get("availableReplicas", 0)}
    return sizes == {wanted} and replica_set["metadata"].get("annotations", {}).get(DESIRED) == str(wanted)


def bounds(deployment: Obj) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods."""
    spec = deployment["spec"]
    if spec["strategy"]["type"] != "RollingUpdate":
        return 0, 0
    rolling = spec["strategy"]["rollingUpdate"]
    surge = scaled(rolling["maxSurge"], spec["replicas"], round_up=True)
    unavailable = min(scaled(rolling["maxUnavailable"], spec["replicas"], round_up=False), spec["replicas"])
    return (0, 1) if surge == 0 and unavailable == 0 else (surge, unavailable)


class DeploymentController(Controller):
    def keys(self, change: Change) -> Iterable[Key]:
        namespace = change.obj["metadata"].get("namespace", "")
        if change.kind == DEPLOYMENT:
            yield namespace, change.obj["metadata"]["name"]
        elif change.kind == REPLICA_SET:
            owner = controller_of(change.obj)
            if owner and owner["kind"] == "Deployment":
                yield namespace, owner["name"]
            elif owner is None:
                for deployment in self.store.all(DEPLOYMENT, namespace):
                    yield namespace, deployment["metadata"]["name"]

    def reconcile(self, key: Key) -> float | None:
        deployment = self.store.get(DEPLOYMENT, *key)
        if deployment is None:
            return None
        sets = owned(self.registry, REPLICA_SET, DEPLOYMENT, deployment)
        template = deployment["spec"]["template"]
        matching = [found for found in sets if same_template(found, template)]
        new = min(matching, key=lambda found: found["metadata"]["creationTimestamp"], default=None)
        old = [found for found in sets if new is None or found["metadata"]["uid"] != new["metadata"]["uid"]]
        leaving = "deletionTimestamp" in deployment["metadata"]
        if not leaving:
            paused = deployment["spec"].get("paused", False)
            if paused or self._scaling(deployment, sets):
                if not paused or new:
                    new = self._sync_revision(deployment, new, old) if new else None
                self._scale(deployment, new, old)
            elif deployment["spec"]["strategy"]["type"] == "Recreate":
                new = self._recreate(deployment, new, old)
            else:
                new = self._sync_revision(deployment, new, old)
                if not self._grow_new(deployment, new, old):
                    self._shrink_old(deployment, new, old)
            if not paused and new and is_complete(deployment, self._fresh([new])[0]):
                self._forget(deployment, old)
        fresh = self.store.get(DEPLOYMENT, *key)
        if fresh is None:
            return None
        return rollout_status.write(self.registry, fresh, self._fresh([new])[0] if new else None, self._fresh(old))

    def _fresh(self, sets: list[Obj]) -> list[Obj]:
        found = (self.store.get(REPLICA_SET, s["metadata"]["namespace"], s["metadata"]["name"]) for s in sets)
        return [replica_set for replica_set in found if replica_set]

    @staticmethod
    def _scaling(deployment: Obj, sets: list[Obj]) -> bool:
        """Whether the replicas were changed since the active ReplicaSets were last scaled."""
        wanted = str(deployment["spec"]["replicas"])
        return any(
            found["metadata"].get("annotations", {}).get(DESIRED, wanted) != wanted
            for found in sets
            if found["spec"]["replicas"] > 0
        )

    def _sync_revision(self, deployment: Obj, new: Obj | None, old: list[Obj]) -> Obj:
        """The ReplicaSet of the present template, made if there is none, with the highest revision."""
        revision = max((revision_of(found) for found in old), default=0) + 1
        kept = {k: v for k, v in deployment["metadata"].get("annotations", {}).items() if k not in NOT_COPIED}
        surge, _ = bounds(deployment)
        sizes = {
            DESIRED: str(deployment["spec"]["replicas"]),
            MAX_REPLICAS: str(deployment["spec"]["replicas"] + surge),
        }
        if new is None:
            new = self._create(deployment, old, {**kept, **sizes, REVISION: str(revision)})
        elif revision_of(new) < revision:
            annotations = {**new["metadata"].get("annotations", {}), **kept, **sizes, REVISION: str(revision)}
            past = [item for item in annotations.get(HISTORY, "").split(",") if item]
            annotations[HISTORY] = ",".join([*past, str(revision_of(new))])
            new = self._annotate(new, annotations)
        elif kept.items() - new["metadata"].get("annotations", {}).items():
            new = self._annotate(new, {**new["metadata"].get("annotations", {}), **kept})
        current = str(revision_of(new))
        if deployment["metadata"].get("annotations", {}).get(REVISION) != current:
            self.registry.modify(
                DEPLOYMENT,
                deployment,
                lambda copy: copy["metadata"].setdefault("annotations", {}).update({REVISION: current}),
                subresource="status",  # real: written with the status, so that it makes no new generation
            )
        return new

    def _annotate(self, replica_set: Obj, annotations: Obj) -> Obj:
        def change(copy: Obj) -> None:
            copy["metadata"]["annotations"] = annotations

        return self.registry.modify(REPLICA_SET, replica_set, change) or replica_set

    def _create(self, deployment: Obj, old: list[Obj], annotations: Obj) -> Obj:
        template = clone(deployment["spec"]["template"])
        digest = template_hash(template)
        template["metadata"].setdefault("labels", {})[HASH] = digest
        selector = clone(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[HASH] = digest
        meta = deployment["metadata"]
        spec: Obj = {"replicas": 0, "selector": selector, "template": template}
        if least := deployment["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = least
        replica_set: Obj = {
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "namespace": meta["namespace"],
                "labels": template["metadata"]["labels"],
                "annotations": annotations,
                "ownerReferences": [owner_reference(DEPLOYMENT, deployment)],
            },
            "spec": spec,
        }
        spec["replicas"] = self._new_size(deployment, 0, old)
        created = self.registry.create(REPLICA_SET, meta["namespace"], replica_set)
        if spec["replicas"]:
            self._event(deployment, f"Scaled up replica set {created['metadata']['name']} to {spec['replicas']}")
        return created

    @staticmethod
    def _new_size(deployment: Obj, present: int, old: list[Obj]) -> int:
        """How many pods the new ReplicaSet may have now."""
        wanted = int(deployment["spec"]["replicas"])
        if deployment["spec"]["strategy"]["type"] == "Recreate":
            return wanted
        surge, _ = bounds(deployment)
        room = wanted + surge - present - sum(found["spec"]["replicas"] for found in old)
        return present if room <= 0 else min(wanted, present + room)

    def _set_size(self, deployment: Obj, replica_set: Obj, size: int) -> bool:
        """Scale one ReplicaSet and note the sizes it was scaled for; whether its size changed."""
        surge, _ = bounds(deployment)
        wanted = deployment["spec"]["replicas"]
        before = replica_set["spec"]["replicas"]

        def change(copy: Obj) -> None:
            copy["spec"]["replicas"] = size
            sizes = {DESIRED: str(wanted), MAX_REPLICAS: str(wanted + surge)}
            copy["metadata"].setdefault("annotations", {}).update(sizes)

        self.registry.modify(REPLICA_SET, replica_set, change)
        if size != before:
            direction = "up" if size > before else "down"
            name = replica_set["metadata"]["name"]
            self._event(deployment, f"Scaled {direction} replica set {name} to {size} from {before}")
        return bool(size != before)

    def _event(self, deployment: Obj, message: str) -> None:
        self.recorder.record(DEPLOYMENT, deployment, "Normal", "ScalingReplicaSet", message, COMPONENT)

    def _grow_new(self, deployment: Obj, new: Obj, old: list[Obj]) -> bool:
        present, wanted = new["spec"]["replicas"], deployment["spec"]["replicas"]
        size = wanted if present > wanted else self._new_size(deployment, present, old)
        return self._set_size(deployment, new, size) if size != present else False

    def _shrink_old(self, deployment: Obj, new: Obj, old: list[Obj]) -> None:
        """Take pods from the old ReplicaSets: the unhealthy ones first, then as many as may be missing."""
        active = [found for found in old if found["spec"]["replicas"] > 0]
        if not active:
            return
        wanted = deployment["spec"]["replicas"]
        _, unavailable = bounds(deployment)
        least = wanted - unavailable
        new_missing = new["spec"]["replicas"] - new.get("status", {}).get("availableReplicas", 0)
        room = total([*active, new], "spec") - least - new_missing
        if room <= 0:
            return
        by_age = sorted(active, key=lambda found: str(found["metadata"]["creationTimestamp"]))
        for replica_set in by_age:
            broken = replica_set["spec"]["replicas"] - replica_set.get("status", {}).get("availableReplicas", 0)
            if (step := min(room, broken)) > 0:
                self._set_size(deployment, replica_set, replica_set["spec"]["replicas"] - step)
                room -= step
        by_age = self._fresh(by_age)
        available = sum(found.get("status", {}).get("availableReplicas", 0) for found in [*by_age, *self._fresh([new])])
        left = available - least
        for replica_set in by_age:
            if left <= 0:
                return
            step = min(left, replica_set["spec"]["replicas"])
            if step > 0:
                self._set_size(deployment, replica_set, replica_set["spec"]["replicas"] - step)
                left -= step

    def _recreate(self, deployment: Obj, new: Obj | None, old: list[Obj]) -> Obj | None:
        for replica_set in old:
            if replica_set["spec"]["replicas"] > 0:
                self._set_size(deployment, replica_set, 0)
        if any(found.get("status", {}).get("replicas", 0) for found in self._fresh(old)):
            return new
        new = self._sync_revision(deployment, new, old)
        self._grow_new(deployment, new, old)
        return new

    def _scale(self, deployment: Obj, new: Obj | None, old: list[Obj]) -> None:
        """Follow a change of replicas: the one active ReplicaSet, or all of a rollout in proportion."""
        active = [found for found in [*old, *([new] if new else [])] if found["spec"]["replicas"] > 0]
        wanted = deployment["spec"]["replicas"]
        if len(active) <= 1:
            one = active[0] if active else new or (max(old, key=revision_of) if old else None)
            if one and (one["spec"]["replicas"] != wanted or self._scaling(deployment, [one])):
                self._set_size(deployment, one, wanted)
            return
        if new and _saturated(new, wanted):
            for replica_set in active:
                if replica_set is not new:
                    self._set_size(deployment, replica_set, 0)
            return
        surge, _ = bounds(deployment)
        allowed = wanted + surge if wanted > 0 else 0
        left = allowed - sum(found["spec"]["replicas"] for found in active)
        before = sum(found["spec"]["replicas"] for found in active)
        ordered = sorted(active, key=lambda found: found["spec"]["replicas"], reverse=True)
        sizes = {found["metadata"]["name"]: found["spec"]["replicas"] for found in ordered}
        for replica_set in ordered:
            present = replica_set["spec"]["replicas"]
            share = round(present * allowed / before) - present
            share = max(min(share, left), 0) if left > 0 else min(max(share, left), 0)
            sizes[replica_set["metadata"]["name"]] = present + share
            left -= share
        first = ordered[0]["metadata"]["name"]
        sizes[first] = max(0, sizes[first] + left)  # what rounding left over
        for replica_set in ordered:
            self._set_size(deployment, replica_set, sizes[replica_set["metadata"]["name"]])

    def _forget(self, deployment: Obj, old: list[Obj]) -> None:
        """Delete the oldest ReplicaSets beyond revisionHistoryLimit."""
        empty = [
            found
            for found in self._fresh(old)
            if found["spec"]["replicas"] == 0 and not found.get("status", {}).get("replicas")
        ]
        empty.sort(key=revision_of)
        surplus = len(empty) - int(deployment["spec"].get("revisionHistoryLimit", 10))
        for replica_set in empty[: max(0, surplus)]:
            self.registry.delete(REPLICA_SET, deployment["metadata"]["namespace"], replica_set["metadata"]["name"])
