# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes does with the shop by itself, and what the stock modules make it do: of whichever provider the lab
has. ``make test-cluster`` runs these on a real control plane."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dhakacart_lab import process
from dhakacart_lab.kubernetes import containers
from dhakacart_lab.kubernetes.kinds import is_true
from dhakacart_lab.kubernetes.providers.base import kubelet_component
from dhakacart_lab.lab import Lab
from dhakacart_lab.shopper.record import outages, read

BACKEND, HPA, PDB = "dhakacart-backend", "dhakacart-backend-hpa", "dhakacart-backend-pdb"
LOST, LEFT = "lab-node-2", "lab-node-1"
# Until the node controller gives a silent node up, and until its pods are deleted; see control_plane/components.py.
NOT_READY, MOVED = 60.0, 120.0
Object = dict[str, Any]


class Cluster:
    """The lab's cluster, asked from outside."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.api, self.namespace = lab, lab.kubernetes.api, lab.layout.namespace
        self._folder = folder

    def get(self, resource: str, name: str) -> Object:
        return self.api.get(resource, name, namespace=self.namespace)

    def patch(self, resource: str, name: str, patch: Object) -> None:
        self.api.patch(resource, name, patch, namespace=self.namespace)

    def pods(self, node: str = "") -> list[Object]:
        found = self.api.list("pods", namespace=self.namespace, labels=f"app={BACKEND}")
        return [pod for pod in found if not node or pod["spec"].get("nodeName") == node]

    def ready(self) -> set[str]:
        return {pod["metadata"]["name"] for pod in self.pods() if is_true(pod, "Ready")}

    def events(self, reason: str) -> list[Object]:
        return self.api.list("events", namespace=self.namespace, fields=f"reason={reason}")

    def rolled_out(self) -> bool:
        found = self.get("deployments", BACKEND)
        status, wanted = found["status"], found["spec"]["replicas"]
        counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")}
        return status["observedGeneration"] >= found["metadata"]["generation"] and counts == {wanted}

    def play(self, module: str, **arguments: Any) -> subprocess.CompletedProcess[str]:
        """One task of kubernetes.core, as a role would run it."""
        task = {"name": "Act", f"kubernetes.core.{module}": arguments}
        play = {"name": "Act", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
        playbook = self._folder / f"{module}.yml"
        playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
        argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(playbook)]
        environment = {
            **os.environ,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "K8S_AUTH_KUBECONFIG": str(self.lab.layout.kubeconfig),
            "TMPDIR": str(self._folder),
        }
        return subprocess.run(
            argv, env=environment, cwd=self._folder, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture
def cluster(lab: Lab, tmp_path: Path) -> Cluster:
    lab.wait_until_well()
    return Cluster(lab, tmp_path)


def eventually(what: str, probe: Callable[[], Any], timeout: float) -> Any:
    """The first true answer; the test fails after ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while not (found := probe()):
        assert time.monotonic() < end, f"{what}: not within {timeout:.0f} s, last answer {found!r}"
        time.sleep(0.2)
    return found


def outages_since(lab: Lab, moment: float) -> list[float | None]:
    return [outage.seconds for outage in outages(read(lab.layout), moment)]


def test_a_bad_rollout_stops_at_its_first_pod_and_is_undone(cluster: Cluster) -> None:
    begin, before = time.time(), cluster.ready()
    image = {"name": "backend", "image": "dhakacart/backend:9.9.9"}
    cluster.api.patch(
        "deployments",
        BACKEND,
        {"spec": {"progressDeadlineSeconds": 5, "template": {"spec": {"containers": [image]}}}},
        namespace=cluster.namespace,
        content_type="application/strategic-merge-patch+json",
    )

    def reason() -> str:
        found = cluster.get("deployments", BACKEND)["status"]["conditions"]
        return next(str(c["reason"]) for c in found if c["type"] == "Progressing")

    eventually("deadline", lambda: reason() == "ProgressDeadlineExceeded", 30)
    new = [pod for pod in cluster.pods() if pod["metadata"]["name"] not in before]
    assert len(new) == 1, "maxSurge is 1, and no old pod may go before it is ready"
    waiting = new[0]["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]
    assert waiting in ("ErrImagePull", "ImagePullBackOff")
    assert cluster.ready() == before
    undone = cluster.play(
        "k8s_rollback", kind="Deployment", api_version="apps/v1", name=BACKEND, namespace=cluster.namespace
    )
    assert undone.returncode == 0, undone.stdout + undone.stderr
    eventually("rolled back", cluster.rolled_out, 30)
    found = cluster.get("deployments", BACKEND)
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "dhakacart/backend:1.0.0"
    assert cluster.ready() == before, "the pods that served all the time are those that are left"
    assert outages_since(cluster.lab, begin) == []


def test_a_drain_waits_for_what_the_disruption_budget_allows(cluster: Cluster) -> None:
    begin = time.time()
    cluster.patch("poddisruptionbudgets", PDB, {"spec": {"minAvailable": 3}})
    eventually("no disruption allowed", lambda: not _allowed(cluster), 10)
    node = next(iter(pod["spec"]["nodeName"] for pod in cluster.pods()))
    drain: Object = {"name": node, "state": "drain", "pod_selectors": [f"app={BACKEND}"]}
    before = cluster.ready()
    refused = cluster.play("k8s_drain", **drain, delete_options={"wait_timeout": 4, "wait_sleep": 1})
    assert refused.returncode == 2, refused.stdout
    assert "disruption budget" in refused.stdout, refused.stdout
    assert cluster.ready() == before
    assert cluster.api.get("nodes", node)["spec"]["unschedulable"] is True
    cluster.patch("poddisruptionbudgets", PDB, {"spec": {"minAvailable": 2}})
    eventually("a disruption allowed", lambda: _allowed(cluster), 10)

    def drained() -> bool:
        # Two pods on it: the second must wait for the first one's successor, and the module does not try again.
        cluster.play("k8s_drain", **drain, delete_options={"wait_timeout": 20, "wait_sleep": 1})
        return not cluster.pods(node)

    eventually("drained", drained, 90)
    eventually("moved", lambda: len(cluster.ready()) == 3, 30)
    assert cluster.play("k8s_drain", name=node, state="uncordon").returncode == 0
    assert not cluster.api.get("nodes", node)["spec"].get("unschedulable")
    assert outages_since(cluster.lab, begin) == []


def _allowed(cluster: Cluster) -> int:
    return int(cluster.get("poddisruptionbudgets", PDB)["status"].get("disruptionsAllowed", 0))


class Load:
    """Customers who only look, many of them, until they are told to stop."""

    def __init__(self, url: str, workers: int = 4) -> None:
        self._url, self._stop = url, threading.Event()
        self.answered = 0
        self._workers = [threading.Thread(target=self._look, daemon=True) for _ in range(workers)]

    def __enter__(self) -> Load:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        for worker in self._workers:
            worker.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            try:
                with urllib.request.urlopen(self._url, timeout=5) as answer:
                    answer.read()
                self.answered += 1
            except OSError:
                time.sleep(0.1)


@pytest.mark.timeout(400)
def test_the_autoscaler_adds_pods_under_load(cluster: Cluster) -> None:
    """With a target of 20 % in place of the platform's 70 %: this machine has two cores for everything."""
    patient = cluster.get("horizontalpodautoscalers", HPA)
    assert eventually("metrics", lambda: _utilization(cluster) is not None, 60)
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 20}}}
    behaviour = {"scaleUp": {"stabilizationWindowSeconds": 0}}
    cluster.patch(
        "horizontalpodautoscalers", HPA, {"spec": {"metrics": [cpu], "behavior": behaviour, "maxReplicas": 5}}
    )
    with Load(f"http://{cluster.lab.layout.load_balancer}/api/products") as load:
        eventually("scaled", lambda: cluster.get("deployments", BACKEND)["spec"]["replicas"] > 3, 120)
        eventually("rolled out", cluster.rolled_out, 60)
    assert load.answered > 100
    status = cluster.get("horizontalpodautoscalers", HPA)["status"]
    assert status["desiredReplicas"] > patient["spec"]["minReplicas"]
    active = next(c for c in status["conditions"] if c["type"] == "ScalingActive")
    assert (active["status"], active["reason"]) == ("True", "ValidMetricFound")
    rescaled = [event["message"] for event in cluster.events("SuccessfulRescale")]
    assert any("cpu resource utilization (percentage of request) above target" in text for text in rescaled), rescaled


def _utilization(cluster: Cluster) -> int | None:
    for found in cluster.get("horizontalpodautoscalers", HPA)["status"].get("currentMetrics") or []:
        if found.get("type") == "Resource" and found["resource"]["name"] == "cpu":
            return int(found["resource"]["current"]["averageUtilization"])
    return None


@pytest.fixture
def lost_node(cluster: Cluster) -> Iterator[set[str]]:
    """A node whose kubelet is dead; the names of the pods that were on it."""
    on_it = {pod["metadata"]["name"] for pod in cluster.pods(LOST)}
    assert on_it, "pods are spread over both nodes"
    kubelet = process.find(cluster.lab.layout, kubelet_component(LOST))
    assert kubelet is not None
    kubelet.kill()
    yield on_it
    Lab.up(cluster.lab.layout.name)


@pytest.mark.timeout(400)
def test_the_pods_of_a_lost_node_move_and_its_return_ends_the_old_ones(cluster: Cluster, lost_node: set[str]) -> None:
    begin = time.time()
    eventually("not ready", lambda: not is_true(cluster.api.get("nodes", LOST), "Ready"), NOT_READY)
    assert any(LOST in problem for problem in cluster.lab.kubernetes.healthy())
    eventually("out of service", lambda: not cluster.ready() & lost_node, 10)
    eventually("moved", lambda: len([p for p in cluster.pods(LEFT) if is_true(p, "Ready")]) == 3, MOVED)
    taints = cluster.api.get("nodes", LOST)["spec"]["taints"]
    assert {"node.kubernetes.io/unreachable"} == {taint["key"] for taint in taints if taint["effect"] == "NoExecute"}
    deleted = [pod for pod in cluster.pods(LOST) if "deletionTimestamp" in pod["metadata"]]
    assert {pod["metadata"]["name"] for pod in deleted} == lost_node, "nobody is there who could end them"
    Lab.up(cluster.lab.layout.name)
    eventually("ready again", lambda: is_true(cluster.api.get("nodes", LOST), "Ready"), 60)
    eventually("the old ones gone", lambda: not cluster.pods(LOST), 60)
    running = {container.pod for container in containers.running(cluster.lab.layout)}
    assert not running & lost_node
    assert len(running) == 3
    assert [seconds for seconds in outages_since(cluster.lab, begin) if seconds is None] == []
