# SPDX-License-Identifier: GPL-3.0-or-later
"""metrics.k8s.io, and an autoscaler that follows it. The same holds on a real control plane."""

from __future__ import annotations

import re
from typing import Any

import pytest
from dhakacart_lab.kubernetes.errors import ApiError
from kubernetes import client as official

GROUP = "/apis/metrics.k8s.io"
API = f"{GROUP}/v1beta1"
SLEEP = "import time; time.sleep(99)"
# 0.2 to 0.3 of a processor until a file "enough" is in its folder
BUSY = """
import os, time
while True:
    if not os.path.exists("enough"):
        end = time.process_time() + 0.03
        while time.process_time() < end: pass
    time.sleep(0.07)
"""
SECONDS = re.compile(r"\d+\.\d+s")


def resources(cpu: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": "64Mi"}}


def known(cluster: Any, pod: str) -> Any:
    """The PodMetrics once there are two samples."""

    def asked() -> Any:
        try:
            return cluster.api.request("GET", f"{API}/namespaces/{cluster.namespace}/pods/{pod}")
        except ApiError as error:
            assert error.code == 404
            return None

    return cluster.eventually(f"metrics of {pod}", asked, timeout=20)


def test_discovery_names_the_group(cluster: Any) -> None:
    version = {"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}
    groups = cluster.api.request("GET", "/apis")["groups"]
    found = next(group for group in groups if group["name"] == "metrics.k8s.io")
    assert found == {"name": "metrics.k8s.io", "versions": [version], "preferredVersion": version}
    assert cluster.api.request("GET", GROUP)["preferredVersion"] == version
    listed = cluster.api.request("GET", API)
    assert listed["groupVersion"] == "metrics.k8s.io/v1beta1"
    assert {(r["name"], r["kind"], r["namespaced"], *r["verbs"]) for r in listed["resources"]} == {
        ("nodes", "NodeMetrics", False, "get", "list"),
        ("pods", "PodMetrics", True, "get", "list"),
    }


def test_what_pods_and_nodes_use(cluster: Any, reader: official.ApiClient) -> None:
    cluster.pod("busy", cluster.container(BUSY))
    cluster.pod("quiet", cluster.container(f"kept = bytearray(64 << 20)\n{SLEEP}"))
    found = known(cluster, "quiet")
    assert (found["kind"], found["apiVersion"]) == ("PodMetrics", "metrics.k8s.io/v1beta1")
    meta = found["metadata"]
    assert (meta["name"], meta["namespace"], meta["labels"]["app"]) == ("quiet", cluster.namespace, "quiet")
    assert SECONDS.fullmatch(found["window"])
    used = found["containers"][0]["usage"]
    assert int(used["memory"].removesuffix("Ki")) > 64 << 10
    assert int(used["cpu"].removesuffix("n")) < 50_000_000
    busy = int(known(cluster, "busy")["containers"][0]["usage"]["cpu"].removesuffix("n"))
    assert 100_000_000 < busy < 500_000_000
    # the official client, with a selector, as somebody who may only read
    api = official.CustomObjectsApi(reader)
    query = {"label_selector": "app=busy"}
    listed = api.list_namespaced_custom_object("metrics.k8s.io", "v1beta1", cluster.namespace, "pods", **query)
    assert listed["kind"] == "PodMetricsList"
    assert [item["metadata"]["name"] for item in listed["items"]] == ["busy"]
    nodes = api.list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")
    assert [item["metadata"]["name"] for item in nodes["items"]] == list(cluster.layout.kubelets)
    assert int(nodes["items"][0]["usage"]["memory"].removesuffix("Ki")) > 10 << 10
    one = cluster.api.request("GET", f"{API}/nodes/lab-node-1")
    assert one["kind"] == "NodeMetrics"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("namespaces/none/pods/none", 'pods "none" not found'),
        ("nodes/none", 'nodes? "none" not found'),
        ("widgets", "the server could not find the requested resource"),
    ],
)
def test_what_is_not_there(cluster: Any, path: str, message: str) -> None:
    with pytest.raises(ApiError, match=message) as refused:
        cluster.api.request("GET", f"{API}/{path}")
    assert (refused.value.code, refused.value.reason) == (404, "NotFound")


def test_a_pod_that_was_not_measured_yet_is_left_out(cluster: Any) -> None:
    cluster.pod("p", cluster.container(SLEEP))
    assert cluster.api.request("GET", f"{API}/namespaces/{cluster.namespace}/pods")["items"] == []
    cluster.eventually("running", lambda: cluster.get("pods", "p").get("status", {}).get("phase") == "Running")
    with pytest.raises(ApiError, match=f'podmetrics.metrics.k8s.io "{cluster.namespace}/p" not found'):
        cluster.api.request("GET", f"{API}/namespaces/{cluster.namespace}/pods/p")


def test_metrics_are_read_only(cluster: Any) -> None:
    with pytest.raises(ApiError) as refused:
        cluster.api.request("DELETE", f"{API}/namespaces/{cluster.namespace}/pods/p")
    assert refused.value.code == 405


def test_an_autoscaler_follows_the_load(cluster: Any) -> None:
    cluster.deployment("web", cluster.container(BUSY, resources=resources("100m")), replicas=1)
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metrics = [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    ]
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 0}}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3, "metrics": metrics, "behavior": behavior}
    meta = {"name": "web", "namespace": cluster.namespace}
    cluster.api.create(
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec}
    )

    def replicas(count: int) -> Any:
        return lambda: cluster.get("deployments", "web")["spec"]["replicas"] == count

    cluster.eventually("scaled up", replicas(3), timeout=60)
    found = cluster.eventually("rescaled", lambda: cluster.events("SuccessfulRescale"))
    assert found[0]["message"] == ("New size: 3; reason: cpu resource utilization (percentage of request) above target")
    autoscaler = cluster.get("horizontalpodautoscalers", "web")["status"]
    conditions = {c["type"]: (c["status"], c["reason"]) for c in autoscaler["conditions"]}
    assert conditions["ScalingActive"] == ("True", "ValidMetricFound")
    current = autoscaler["currentMetrics"][0]["resource"]
    assert current["name"] == "cpu"
    assert current["current"]["averageUtilization"] > 77
    cluster.rolled_out("web")
    for folder in (cluster.layout.folder / "pods").glob(f"*/{cluster.namespace}_web-*/c"):
        folder.joinpath("enough").touch()
    cluster.eventually("scaled down", replicas(1), timeout=60)
    reasons = {event["message"] for event in cluster.events("SuccessfulRescale")}
    assert any(text.endswith("reason: All metrics below target") for text in reasons)
    if cluster.layout.provider == "simulated":  # the real one looks after 5 s already, before there are two samples
        assert cluster.events("FailedGetResourceMetric") == []
