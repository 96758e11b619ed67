# SPDX-License-Identifier: GPL-3.0-or-later
"""HorizontalPodAutoscaler without metrics: it keeps its target within [min, max] and says that it sees no metric."""

from __future__ import annotations

from collections.abc import Iterable

from ..kinds import DEPLOYMENT, HPA, REPLICA_SET, Kind, Obj, clone, timestamp
from ..store import Change
from .base import Controller, Key, set_status, with_condition

COMPONENT = "horizontal-pod-autoscaler"
PERIOD = 15.0  # seconds, kube-controller-manager's --horizontal-pod-autoscaler-sync-period
TARGETS = {"Deployment": DEPLOYMENT, "ReplicaSet": REPLICA_SET}


class Autoscaler(Controller):
    """Looks every 15 s, as the real one: until then a scaling by hand stands."""

    def keys(self, change: Change) -> Iterable[Key]:
        if change.kind == HPA and (
            change.type == "ADDED" or (change.previous and change.obj["spec"] != change.previous["spec"])
        ):
            yield change.obj["metadata"]["namespace"], change.obj["metadata"]["name"]

    def reconcile(self, key: Key) -> float | None:
        autoscaler = self.store.get(HPA, *key)
        if autoscaler is None:
            return None
        reference = autoscaler["spec"]["scaleTargetRef"]
        kind = TARGETS.get(reference["kind"])
        target = self.store.get(kind, key[0], reference["name"]) if kind else None
        conditions: list[Obj] = clone(autoscaler).get("status", {}).get("conditions", [])
        if kind is None or target is None:
            plural = kind.qualified if kind else f"{reference['kind'].lower()}s"
            text = (
                f'the HPA controller was unable to get the target\'s current scale: {plural} "{reference["name"]}"'
                " not found"
            )
            conditions = with_condition(conditions, "AbleToScale", "False", "FailedGetScale", text)
            set_status(
                self.registry, HPA, autoscaler, {"currentMetrics": None, "desiredReplicas": 0, "conditions": conditions}
            )
            self.recorder.record(HPA, autoscaler, "Warning", "FailedGetScale", text.split(": ", 1)[1], COMPONENT)
            return PERIOD
        text = "the HPA controller was able to get the target's current scale"
        conditions = with_condition(conditions, "AbleToScale", "True", "SucceededGetScale", text)
        current, desired, reason = self._desired(autoscaler["spec"], target["spec"]["replicas"])
        if current == 0:
            text = "scaling is disabled since the replica count of the target is zero"
            conditions = with_condition(conditions, "ScalingActive", "False", "ScalingDisabled", text)
        else:
            text = (
                "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics"
                " for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the"
                " requested resource (get pods.metrics.k8s.io)"
            )
            conditions = with_condition(conditions, "ScalingActive", "False", "FailedGetResourceMetric", text)
        status: Obj = {
            "currentReplicas": current,
            "desiredReplicas": desired,
            "conditions": conditions,
            "lastScaleTime": autoscaler.get("status", {}).get("lastScaleTime"),
        }
        if desired != current:
            self._scale(kind, target, desired)
            status["lastScaleTime"] = timestamp()
            message = f"New size: {desired}; reason: {reason}"
            self.recorder.record(HPA, autoscaler, "Normal", "SuccessfulRescale", message, COMPONENT)
        elif current:
            why = text.split(": ", 1)[1]
            self.recorder.record(HPA, autoscaler, "Warning", "FailedGetResourceMetric", why, COMPONENT)
        status = {key: value for key, value in status.items() if value is not None} | {"currentMetrics": None}
        set_status(self.registry, HPA, autoscaler, status)
        return PERIOD

    @staticmethod
    def _desired(spec: Obj, current: int) -> tuple[int, int, str]:
        """(current, desired, why). A target of 0 replicas is left alone."""
        if current == 0:
            return 0, 0, ""
        if current > spec["maxReplicas"]:
            return current, spec["maxReplicas"], "Current number of replicas above Spec.MaxReplicas"
        if current < spec.get("minReplicas", 1):
            return current, spec.get("minReplicas", 1), "Current number of replicas below Spec.MinReplicas"
        return current, current, ""

    def _scale(self, kind: Kind, target: Obj, replicas: int) -> None:
        def change(copy: Obj) -> None:
            copy["spec"]["replicas"] = replicas

        self.registry.modify(kind, target, change)
