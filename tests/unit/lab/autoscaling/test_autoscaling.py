# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the autoscaler: what metrics ask for, and how fast they are followed."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from dhakacart_lab.kubernetes.controllers.pace import Pace
from dhakacart_lab.kubernetes.controllers.recommendation import NoMetric, milli, propose
from dhakacart_lab.kubernetes.kinds import timestamp

CPU_70 = {"type": "Utilization", "averageUtilization": 70}
OLD = timestamp(datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=30))
Object = dict[str, Any]


def now() -> str:
    """Not of the module: half a minute lies between its import and a test when the machine is busy."""
    return timestamp(datetime.datetime.now(datetime.UTC))


def pod(name: str, *, ready: bool = True, begun: str = OLD, request: str = "250m", **status: Any) -> Object:
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": begun}]
    resources = {"requests": {"cpu": request, "memory": "256Mi"}} if request else {}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "resources": resources}]},
        "status": {"phase": "Running", "startTime": begun, "conditions": conditions, **status},
    }


def measured(name: str, cpu: str, memory: str = "64Mi") -> Object:
    usage = {"cpu": cpu, "memory": memory}
    containers = [{"name": "c", "usage": usage}]
    return {"metadata": {"name": name}, "timestamp": now(), "window": "5.000s", "containers": containers}


def wanted(current: int, pods: list[Object], metrics: list[Object], target: Object = CPU_70, what: str = "cpu") -> int:
    return propose(current, pods, metrics, what, target).replicas


@pytest.mark.parametrize(
    ("text", "found"), [("1", 1000), ("250m", 250), ("1500000n", 2), ("1Ki", 1024_000), ("0", 0), ("0.1", 100)]
)
def test_quantities_in_thousandths(text: str, found: int) -> None:
    assert milli(text) == found


@pytest.mark.parametrize(
    ("cpu", "replicas"),
    [
        ("175m", 3),  # at the target
        ("190m", 3),  # within 10 %
        ("200m", 4),  # 80 % of 70: 3.43
        ("500m", 9),  # 200 %
        ("0", 0),
    ],
)
def test_utilization_against_the_target(cpu: str, replicas: int) -> None:
    names = ["a", "b", "c"]
    assert wanted(3, [pod(name) for name in names], [measured(name, cpu) for name in names]) == replicas


def test_the_average_and_the_utilization_are_told() -> None:
    found = propose(2, [pod("a"), pod("b")], [measured("a", "100m"), measured("b", "400m")], "cpu", CPU_70)
    assert (found.utilization, found.average) == (100, 250)
    target = {"type": "AverageValue", "averageValue": "100Mi"}
    metrics = [measured("a", "1m", "300Mi"), measured("b", "1m", "100Mi")]
    found = propose(2, [pod("a"), pod("b")], metrics, "memory", target)
    assert (found.replicas, found.utilization, found.average) == (4, None, 200 * 2**20 * 1000)


def test_a_pod_without_a_sample_counts_against_the_change() -> None:
    pods = [pod("a"), pod("b"), pod("c")]
    # 400 % in one: with the two as idle it is 133 %, which would be 6 of 3
    assert wanted(3, pods, [measured("a", "1")]) == 6
    # 0 % in two: with the third at its whole request it is 33 %
    assert wanted(3, pods, [measured("a", "0"), measured("b", "0")]) == 2


def test_pods_that_start_or_leave_do_not_ask_for_more() -> None:
    fresh = now()
    starting = pod("b", begun=fresh)
    assert wanted(2, [pod("a"), starting], [measured("a", "175m"), measured("b", "2")]) == 2
    # busy otherwise: the one that starts counts as idle
    assert wanted(2, [pod("a"), starting], [measured("a", "500m"), measured("b", "2")]) == 3
    leaving = pod("c")
    leaving["metadata"]["deletionTimestamp"] = fresh
    assert wanted(2, [pod("a"), pod("b"), leaving], [measured(name, "175m") for name in "abc"]) == 2


@pytest.mark.parametrize(
    ("pods", "metrics", "why"),
    [
        ([pod("a")], [], "no metrics returned from resource metrics API"),
        ([pod("a", phase="Pending")], [measured("a", "1")], "pods might be unready"),
        ([pod("a", request="")], [measured("a", "1")], "missing request for cpu in container c of Pod a"),
    ],
)
def test_what_cannot_be_counted(pods: list[Object], metrics: list[Object], why: str) -> None:
    with pytest.raises(NoMetric, match=why):
        wanted(1, pods, metrics)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


SHOP = {
    "minReplicas": 3,
    "maxReplicas": 50,
    "behavior": {
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "selectPolicy": "Min",
            "policies": [
                {"type": "Percent", "value": 10, "periodSeconds": 60},
                {"type": "Pods", "value": 2, "periodSeconds": 60},
            ],
        },
        "scaleUp": {
            "stabilizationWindowSeconds": 60,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 60},
                {"type": "Pods", "value": 10, "periodSeconds": 60},
            ],
        },
    },
}


def test_a_peak_shorter_than_the_window_scales_nothing() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.begin(3)
    for _ in range(4):
        decision = pace.decide(SHOP, 3, 9)
        assert (decision.replicas, decision.able[0], decision.limited) == (3, "ScaleUpStabilized", False)
        clock.now += 15
    clock.now += 1
    decision = pace.decide(SHOP, 3, 9)
    assert (decision.replicas, decision.able[0], decision.limit[0]) == (9, "ReadyForNewScale", "DesiredWithinRange")


def test_growth_is_bounded_in_each_period() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    spec = {**SHOP, "behavior": {"scaleUp": {"stabilizationWindowSeconds": 0}}}  # 4 pods or 100 % in 15 s
    decision = pace.decide(spec, 3, 40)
    assert (decision.replicas, decision.limited, decision.limit[0]) == (7, True, "ScaleUpLimit")
    pace.scaled(4)
    clock.now += 5
    assert pace.decide(spec, 7, 40).replicas == 7
    clock.now += 15
    assert pace.decide(spec, 7, 40).replicas == 14
    assert pace.decide({**spec, "maxReplicas": 9}, 7, 40).limit[0] == "TooManyReplicas"


def test_shrinking_waits_for_the_highest_recent_recommendation_then_goes_slowly() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.begin(20)
    assert pace.decide(SHOP, 20, 3).able[0] == "ScaleDownStabilized"
    clock.now += 301
    decision = pace.decide(SHOP, 20, 3)
    assert (decision.replicas, decision.limit[0]) == (18, "ScaleDownLimit")  # the smaller of 10 % and 2 pods
    pace.scaled(-2)
    clock.now += 30
    assert pace.decide(SHOP, 18, 3).replicas == 18
    clock.now += 31
    assert pace.decide(SHOP, 18, 3).replicas == 16


def test_the_bounds_and_a_direction_that_is_switched_off() -> None:
    decision = Pace().decide({"minReplicas": 2, "maxReplicas": 5}, 3, 0)
    assert (decision.replicas, decision.limit[0]) == (2, "TooFewReplicas")
    off = {"maxReplicas": 5, "behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}
    assert Pace().decide(off, 3, 1).replicas == 3
