# SPDX-License-Identifier: GPL-3.0-or-later
"""How many replicas a resource metric asks for, counted as kube-controller-manager's replica calculator does.

Amounts are thousandths: of a core, or of a byte.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..kinds import Obj, condition, parse_time
from .scheduler import quantity

TOLERANCE = 0.1  # of the target, in either direction
# The platform judges a pod by its CPU only 5 minutes after its start; a drill has no such time.
CPU_INITIALIZATION = 10.0  # seconds
INITIAL_READINESS = 5.0  # seconds
NO_REQUEST = "missing request for {resource} in container {container} of Pod {pod}"


class NoMetric(Exception):
    """There is nothing to count from; the message says why, in Kubernetes' words."""


@dataclass(frozen=True)
class Sample:
    """What a pod used: ``value`` in thousandths, at ``moment``, on average over ``window`` seconds."""

    value: int
    moment: datetime.datetime
    window: float


@dataclass(frozen=True)
class Proposal:
    """``utilization``: percent of the requests, None for a target in absolute amounts; ``average``: a pod's amount."""

    replicas: int
    utilization: int | None
    average: int


def samples_of(measured: list[Obj], resource: str, container: str = "") -> dict[str, Sample]:
    """The samples of PodMetrics objects, by the pod's name; of one container where it is named."""
    found: dict[str, Sample] = {}
    for metric in measured:
        used = [entry["usage"] for entry in metric["containers"] if container in ("", entry["name"])]
        if used:
            total = sum(milli(amounts[resource]) for amounts in used)
            window = float(metric["window"].rstrip("s"))
            found[metric["metadata"]["name"]] = Sample(total, parse_time(metric["timestamp"]), window)
    return found


def milli(text: object) -> int:
    """A quantity in thousandths, rounded up."""
    written = str(text)
    if written.endswith("n"):
        return math.ceil(int(written[:-1]) / 1_000_000)
    return math.ceil(quantity(text) * 1000)


@dataclass(frozen=True)
class Groups:
    """Pods by what they count for: ``ready`` is a number, the others are names."""

    ready: int
    unready: set[str]
    missing: set[str]
    ignored: set[str]


def _grouped(pods: list[Obj], samples: Mapping[str, Sample], resource: str) -> Groups:
    ready, unready, missing, ignored = 0, set[str](), set[str](), set[str]()
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        if "deletionTimestamp" in pod["metadata"] or status.get("phase") == "Failed":
            ignored.add(name)
        elif status.get("phase", "Pending") == "Pending":
            unready.add(name)
        elif name not in samples:
            missing.add(name)
        elif resource == "cpu" and _starting(pod, samples[name]):
            unready.add(name)
        else:
            ready += 1
    return Groups(ready, unready, missing, ignored)


def _starting(pod: Obj, sample: Sample) -> bool:
    """Whether the CPU that the pod uses may be that of its start."""
    ready, begun = condition(pod, "Ready"), pod["status"].get("startTime")
    if ready is None or not begun:
        return True
    start, since = parse_time(begun), parse_time(ready["lastTransitionTime"])
    if start + datetime.timedelta(seconds=CPU_INITIALIZATION) > datetime.datetime.now(datetime.UTC):
        whole_window = sample.moment >= since + datetime.timedelta(seconds=sample.window)
        return ready["status"] == "False" or not whole_window
    return bool(ready["status"] == "False" and start + datetime.timedelta(seconds=INITIAL_READINESS) > since)


def _requests(pods: list[Obj], resource: str, container: str) -> dict[str, int]:
    """What each pod requests; NoMetric where a container requests nothing of the resource."""
    found: dict[str, int] = {}
    for pod in pods:
        name = pod["metadata"]["name"]
        found[name] = 0
        for spec in pod["spec"]["containers"]:
            if container not in ("", spec["name"]):
                continue
            asked = (spec.get("resources", {}).get("requests") or {}).get(resource)
            if asked is None:
                raise NoMetric(NO_REQUEST.format(resource=resource, container=spec["name"], pod=name))
            found[name] += milli(asked)
    return found


class _Count:
    """One metric's arithmetic: by utilization where ``requests`` are given, else by amounts."""

    def __init__(self, target: int, requests: dict[str, int] | None) -> None:
        self._target, self._requests = target, requests

    def ratio(self, values: Mapping[str, int]) -> tuple[float, int | None, int]:
        """(used against wanted, utilization in percent, a pod's average)."""
        total = sum(values.values())
        if self._requests is None:
            average = total // len(values)
            return average / self._target, None, average
        requested = sum(self._requests.get(name, 0) for name in values)
        if requested == 0:
            raise NoMetric("no metrics returned matched known pods")
        utilization = total * 100 // requested
        return utilization / self._target, utilization, total // len(values)

    def fallback(self, name: str) -> int:
        """What a pod without a sample counts for where replicas are to be taken away."""
        return self._target if self._requests is None else self._requests[name] * max(100, self._target) // 100


def propose(
    current: int, pods: list[Obj], measured: list[Obj], resource: str, target: Obj, *, container: str = ""
) -> Proposal:
    """The replicas that bring the metric to its target. NoMetric where that cannot be told.

    :param target: the ``target`` of an HPA's resource metric.
    :param pods: those that the scale target selects; ``measured``: their PodMetrics.
    """
    if not measured:
        raise NoMetric(f"unable to get metrics for resource {resource}: no metrics returned from resource metrics API")
    samples = samples_of(measured, resource, container)
    groups = _grouped(pods, samples, resource)
    left = groups.ignored | groups.unready
    values = {name: sample.value for name, sample in samples.items() if name not in left}
    if not values:
        raise NoMetric("did not receive metrics for targeted pods (pods might be unready)")
    if "averageUtilization" in target:
        count = _Count(int(target["averageUtilization"]), _requests(pods, resource, container))
    else:
        count = _Count(milli(target["averageValue"]), None)
    ratio, utilization, average = count.ratio(values)
    return Proposal(_replicas(current, ratio, values, groups, count), utilization, average)


def _replicas(current: int, ratio: float, values: dict[str, int], groups: Groups, count: _Count) -> int:
    up_with_unready = bool(groups.unready) and ratio > 1
    if not up_with_unready and not groups.missing:
        return current if _within(ratio) else math.ceil(ratio * groups.ready)
    # who has no sample counts against the change: as idle where replicas are to be added, as busy where taken away.
    filled = dict(values)
    if ratio != 1:
        filled |= {name: count.fallback(name) if ratio < 1 else 0 for name in groups.missing}
    if up_with_unready:
        filled |= dict.fromkeys(groups.unready, 0)
    again = count.ratio(filled)[0]
    wanted = math.ceil(again * len(filled))
    turned = (ratio < 1 < again) or (again < 1 < ratio)
    against = (again < 1 and wanted > current) or (again > 1 and wanted < current)
    return current if _within(again) or turned or against else wanted


def _within(ratio: float) -> bool:
    return abs(1 - ratio) <= TOLERANCE
