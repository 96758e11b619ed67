# SPDX-License-Identifier: GPL-3.0-or-later
"""HorizontalPodAutoscaler: keeps its target within [min, max], and in between at what its resource metrics ask for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from .. import selectors
from ..kinds import DEPLOYMENT, HPA, REPLICA_SET, Kind, Obj, clone, timestamp
from ..metrics.api import MetricsApi
from ..registry import Registry
from ..store import Change
from . import recommendation
from .base import Controller, Key, Recorder, selected_pods, set_status, with_condition
from .pace import Pace
from .recommendation import NoMetric, Proposal

COMPONENT = "horizontal-pod-autoscaler"
PERIOD = 15.0  # seconds, kube-controller-manager's --horizontal-pod-autoscaler-sync-period
TARGETS = {"Deployment": DEPLOYMENT, "ReplicaSet": REPLICA_SET}
ABLE, ACTIVE, LIMITED = "AbleToScale", "ScalingActive", "ScalingLimited"
GOT_SCALE = ("SucceededGetScale", "the HPA controller was able to get the target's current scale")
DISABLED = ("ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
DEFAULT_METRICS: list[Obj] = [
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
]
REASONS = {"Resource": "FailedGetResourceMetric", "ContainerResource": "FailedGetContainerResourceMetric"}


class Outcome(NamedTuple):
    """What the metrics said: ``replicas`` None where they cannot be relied on."""

    replicas: int | None
    metric: str
    statuses: list[Obj]
    condition: tuple[str, str, str]  # of ScalingActive: status, reason, message
    error: str


class Autoscaler(Controller):
    """Looks every 15 s, as the real one: until then a scaling by hand stands. A look at the metrics comes one period
    after the autoscaler was first seen, as there; the bounds are kept at once."""

    def __init__(self, registry: Registry, recorder: Recorder, measured: MetricsApi) -> None:
        super().__init__(registry, recorder)
        self._measured = measured
        self._paces: dict[str, Pace] = {}  # by uid
        self._look_at: dict[str, float] = {}  # uid → when its metrics are first looked at

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
        if kind is None or target is None:
            self._no_target(autoscaler, kind)
            return PERIOD
        uid = autoscaler["metadata"]["uid"]
        pace = self._paces.setdefault(uid, Pace())
        current = int(target["spec"].get("replicas", 1))
        pace.begin(current)
        status: Obj = {"currentMetrics": None, **clone(autoscaler).get("status", {})}
        status |= {"currentReplicas": current, "desiredReplicas": current}
        _set(status, ABLE, "True", *GOT_SCALE)
        begun = self._look_at.setdefault(uid, time.monotonic() + PERIOD)
        desired, reason = self._bounds(autoscaler["spec"], current)
        if current == 0:
            _set(status, ACTIVE, "False", *DISABLED)
        elif desired == current and time.monotonic() < begun:
            set_status(self.registry, HPA, autoscaler, status)
            return begun - time.monotonic()
        elif desired == current:
            desired, reason = self._by_metrics(autoscaler, target, current, status, pace)
        if desired != current:
            self._scale(kind, target, desired)
            pace.scaled(desired - current)
            status |= {"desiredReplicas": desired, "lastScaleTime": timestamp()}
            text = f"the HPA controller was able to update the target scale to {desired}"
            _set(status, ABLE, "True", "SucceededRescale", text)
            message = f"New size: {desired}; reason: {reason}"
            self.recorder.record(HPA, autoscaler, "Normal", "SuccessfulRescale", message, COMPONENT)
        set_status(self.registry, HPA, autoscaler, status)
        return PERIOD

    def _no_target(self, autoscaler: Obj, kind: Kind | None) -> None:
        reference = autoscaler["spec"]["scaleTargetRef"]
        plural = kind.qualified if kind else f"{reference['kind'].lower()}s"
        why = f'{plural} "{reference["name"]}" not found'
        status: Obj = {"currentMetrics": None, "desiredReplicas": 0, **clone(autoscaler).get("status", {})}
        text = f"the HPA controller was unable to get the target's current scale: {why}"
        _set(status, ABLE, "False", "FailedGetScale", text)
        set_status(self.registry, HPA, autoscaler, status)
        self.recorder.record(HPA, autoscaler, "Warning", "FailedGetScale", why, COMPONENT)

    @staticmethod
    def _bounds(spec: Obj, current: int) -> tuple[int, str]:
        """(desired, why). A target of 0 replicas is left alone."""
        if current > spec["maxReplicas"]:
            return spec["maxReplicas"], "Current number of replicas above Spec.MaxReplicas"
        if 0 < current < spec.get("minReplicas", 1):
            return spec.get("minReplicas", 1), "Current number of replicas below Spec.MinReplicas"
        return current, ""

    def _by_metrics(self, autoscaler: Obj, target: Obj, current: int, status: Obj, pace: Pace) -> tuple[int, str]:
        outcome = self._outcome(autoscaler, target, current)
        _set(status, ACTIVE, *outcome.condition)
        status["currentMetrics"] = outcome.statuses or None
        if outcome.replicas is None:
            kind, why = "FailedComputeMetricsReplicas", outcome.error
            self.recorder.record(HPA, autoscaler, "Warning", kind, why, COMPONENT)
            return current, ""
        decision = pace.decide(autoscaler["spec"], current, outcome.replicas)
        _set(status, ABLE, "True", *decision.able)
        _set(status, LIMITED, str(decision.limited), *decision.limit)
        up = f"{outcome.metric} above target"
        return decision.replicas, up if outcome.replicas > current else "All metrics below target"

    def _outcome(self, autoscaler: Obj, target: Obj, current: int) -> Outcome:
        """The largest of what the metrics ask for; one that cannot be read forbids to take replicas away."""
        best, best_metric, statuses = 0, "", []
        failed: list[tuple[str, str, str]] = []
        metrics = autoscaler["spec"].get("metrics") or DEFAULT_METRICS
        for metric in metrics:
            try:
                proposal, name = self._propose(metric, target, current)
            except NoMetric as error:
                reason = REASONS.get(metric["type"], "InvalidMetricSourceType")
                self.recorder.record(HPA, autoscaler, "Warning", reason, str(error), COMPONENT)
                failed.append((reason, str(error), f"failed to get {_value_of(metric)}: {error}"))
                statuses.append({"type": ""})
                continue
            statuses.append(_metric_status(metric, proposal))
            if best == 0 or proposal.replicas > best:
                best, best_metric = proposal.replicas, name
        if failed and (len(failed) == len(metrics) or best < current):
            reason, why, first = failed[0]
            text = f"the HPA was unable to compute the replica count: {why}"
            summary = f"invalid metrics ({len(failed)} invalid out of {len(metrics)}), first error is: {first}"
            return Outcome(None, "", statuses, ("False", reason, text), summary)
        text = f"the HPA was able to successfully calculate a replica count from {best_metric}"
        return Outcome(best, best_metric, statuses, ("True", "ValidMetricFound", text), "")

    def _propose(self, metric: Obj, target: Obj, current: int) -> tuple[Proposal, str]:
        """(proposal, the metric's name in events). NoMetric for what is not there or not known here."""
        field = metric["type"][:1].lower() + metric["type"][1:]
        if metric["type"] not in REASONS:
            raise NoMetric(f"the lab serves no metrics of type {metric['type']}")
        source = metric[field]
        resource, container = source["name"], source.get("container", "")
        namespace, selector = target["metadata"]["namespace"], target["spec"]["selector"]
        pods = selected_pods(self.registry, namespace, selector)
        of_target = {pod["metadata"]["name"] for pod in pods}
        measured = [found for found in self._measured.pods(namespace, {}) if found["metadata"]["name"] in of_target]
        kind = "utilization" if "averageUtilization" in source["target"] else "usage"
        try:
            if not pods:
                raise NoMetric(f"no pods returned by selector {selectors.as_text(selector)}")
            found = recommendation.propose(current, pods, measured, resource, source["target"], container=container)
        except NoMetric as error:
            raise NoMetric(f"failed to get {resource} {kind}: {error}") from None
        words = "container resource" if container else "resource"
        if kind == "utilization":
            return found, f"{resource} {words} utilization (percentage of request)"
        return found, f"{resource} resource"

    def _scale(self, kind: Kind, target: Obj, replicas: int) -> None:
        def change(copy: Obj) -> None:
            copy["spec"]["replicas"] = replicas

        self.registry.modify(kind, target, change)


def _set(status: Obj, name: str, value: str, reason: str, message: str) -> None:
    status["conditions"] = with_condition(status.get("conditions") or [], name, value, reason, message)


def _value_of(metric: Obj) -> str:
    """What could not be got, as events name it."""
    source = metric.get(metric["type"][:1].lower() + metric["type"][1:]) or {}
    if "container" in source:
        return f"{source['container']} container metric value"
    return f"{source.get('name', '')} resource metric value"


def _metric_status(metric: Obj, proposal: Proposal) -> Obj:
    """The entry of currentMetrics."""
    field = metric["type"][:1].lower() + metric["type"][1:]
    source = metric[field]
    average = f"{proposal.average}m" if source["name"] == "cpu" else str(proposal.average // 1000)
    current: Obj = {"averageValue": average}
    if proposal.utilization is not None:
        current["averageUtilization"] = proposal.utilization
    named = {key: source[key] for key in ("name", "container") if key in source}
    return {"type": metric["type"], field: {**named, "current": current}}
