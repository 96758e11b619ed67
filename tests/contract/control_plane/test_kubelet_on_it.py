# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet and the metrics server under a real API server: the tests of the simulated one, and what differs."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes.access import read_kubeconfig
from dhakacart_lab.kubernetes.control_plane.provider import ControlPlane
from kubernetes import client as official
from kubernetes import config

from ..kubernetes import conftest, test_exec, test_kubelet, test_kubelet_endpoint, test_metrics

COUNTER = itertools.count(1)
# The same tests, word for word; the fixtures below are of the real control plane.
for shared in (test_exec, test_kubelet, test_kubelet_endpoint, test_metrics):
    globals().update({name: found for name, found in vars(shared).items() if name.startswith("test_")})
pod = test_exec.pod


class Real(conftest.Cluster):
    """The shapes of the other tests, on the real control plane."""

    def __init__(self, provider: ControlPlane) -> None:
        self.layout, self.api = provider.layout, provider.api
        self.namespace = "default"


@pytest.fixture(scope="module")
def _real(running: ControlPlane) -> Iterator[Real]:
    found = Real(running)
    process.start_python(found.layout, "metrics", "dhakacart_lab.kubernetes.metrics")

    def served() -> bool:
        status = found.api.request("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io")[
            "status"
        ]
        return any(c["type"] == "Available" and c["status"] == "True" for c in status["conditions"])

    found.eventually("metrics.k8s.io", served, timeout=60)
    yield found
    process.stop(found.layout, "metrics")


@pytest.fixture
def cluster(_real: Real) -> Iterator[Real]:
    """The cluster, with a fresh namespace."""
    _real.namespace = f"test-{next(COUNTER)}"
    _real.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _real.namespace}})
    account = f"/api/v1/namespaces/{_real.namespace}/serviceaccounts"
    _real.eventually("its service account", lambda: _real.api.request("GET", account)["items"])
    yield _real
    _real.api.delete("namespaces", _real.namespace)


@pytest.fixture
def client(_real: Real) -> Iterator[official.ApiClient]:
    with config.new_client_from_config(str(_real.layout.kubeconfig), context="lab") as found:
        yield found


@pytest.fixture
def reader(_real: Real) -> Iterator[official.ApiClient]:
    with config.new_client_from_config(str(_real.layout.kubeconfig), context="lab-readonly") as found:
        yield found


def test_the_kubelet_is_a_node_and_no_more(_real: Real) -> None:
    """NodeRestriction and the Node authorizer hold for it."""
    access = read_kubeconfig(_real.layout.kubelet_kubeconfig("lab-node-1"))
    assert access.tls
    assert not access.token
    for name, node in ((node["metadata"]["name"], node) for node in _real.api.list("nodes")):
        assert node["status"]["nodeInfo"]["kubeletVersion"].endswith("-dhakacart-lab"), name
        assert node["status"]["declaredFeatures"] == ["ExtendWebSocketsToKubelet"]
        assert "taints" not in node["spec"]
        lease = _real.api.get("leases", name, namespace="kube-node-lease")
        assert lease["spec"]["holderIdentity"] == name


def test_the_kubelets_meet_no_refusal(cluster: Real) -> None:
    """Through a pod's whole life: start, failing probe, restart, end."""
    cluster.pod("p", cluster.container("import time; time.sleep(0.5); raise SystemExit(3)"))
    cluster.eventually("restarts", lambda: test_kubelet.status(cluster, "p")["restartCount"] >= 1)
    cluster.api.delete("pods", "p", namespace=cluster.namespace)
    cluster.eventually("gone", lambda: cluster.pods() == [])
    time.sleep(0.5)
    for number in (1, 2):
        log = (cluster.layout.logs / f"kubelet-{number}.log").read_text(encoding="utf-8")
        # that a namespace takes no events while it goes is every kubelet's lot
        lines = [line for line in log.splitlines() if "because it is being terminated" not in line]
        assert [line for line in lines if re.search("refused|forbidden|invalid|not deleted", line)] == []


def status_of(cluster: Real, pod: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster.get("pods", pod)["status"]
    return found


def test_the_status_is_whole(cluster: Real) -> None:
    cluster.pod("p", cluster.web())
    test_kubelet.ready(cluster, "p")
    found = status_of(cluster, "p")
    assert {c["type"] for c in found["conditions"] if c["status"] == "True"} == {
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
        "PodReadyToStartContainers",
    }
    assert found["observedGeneration"] == cluster.get("pods", "p")["metadata"]["generation"]
    assert found["podIPs"] == [{"ip": found["podIP"]}]
    assert found["hostIPs"] == [{"ip": found["hostIP"]}]
    assert found["qosClass"] == "BestEffort"
