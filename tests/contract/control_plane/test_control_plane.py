# SPDX-License-Identifier: GPL-3.0-or-later
"""The real control plane: TLS, rights, nodes, pods, repair, and the way to metrics.k8s.io."""

from __future__ import annotations

import http.server
import itertools
import json
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes.access import READER_CONTEXT
from dhakacart_lab.kubernetes.control_plane import bootstrap
from dhakacart_lab.kubernetes.control_plane.__main__ import main
from dhakacart_lab.kubernetes.control_plane.components import PROGRAMS
from dhakacart_lab.kubernetes.control_plane.provider import ControlPlane
from dhakacart_lab.kubernetes.errors import ApiError
from dhakacart_lab.kubernetes.kinds import is_true
from dhakacart_lab.kubernetes.pki import Authority
from dhakacart_lab.layout import LabError
from kubernetes import client as official
from kubernetes import config

from .conftest import eventually

COUNTER = itertools.count(1)
SERVER = """
import http.server, os
address = os.environ.get("LAB_LISTEN_ADDRESS") or os.environ["POD_IP"]
print("serving", flush=True)
http.server.ThreadingHTTPServer((address, 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def namespace(cluster: ControlPlane) -> Iterator[str]:
    name = f"t-{next(COUNTER)}"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.api.delete("namespaces", name)


def client_of(cluster: ControlPlane, context: str) -> official.ApiClient:
    return config.new_client_from_config(str(cluster.layout.kubeconfig), context=context)


def deployment(name: str) -> dict[str, Any]:
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    probe = {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1, "failureThreshold": 30}
    container = {
        "name": "c",
        "image": "dhakacart/busybox:1",
        "command": [sys.executable, "-S", "-c", SERVER],
        "env": [address],
        "readinessProbe": probe,
    }
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }


def test_the_four_run_and_the_nodes_are_ready(cluster: ControlPlane) -> None:
    assert all(process.find(cluster.layout, component) for component in PROGRAMS)
    for node in cluster.layout.kubelets:
        assert is_true(cluster.api.get("nodes", node), "Ready")


def test_only_who_is_known_is_answered_and_only_who_trusts_the_lab_asks(cluster: ControlPlane) -> None:
    address = cluster.layout.kubernetes_api
    found = official.Configuration(host=f"https://{address}")
    found.ssl_ca_cert = str(Authority.open(cluster.layout).certificate)
    with official.ApiClient(found) as nobody, pytest.raises(official.ApiException) as refused:
        official.CoreV1Api(nobody).list_namespace()
    assert refused.value.status == 403
    everyone = ssl.create_default_context()
    with (
        socket.create_connection((address.host, address.port), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        everyone.wrap_socket(plain, server_hostname=address.host)


def test_the_reader_reads_all_but_secrets_and_changes_nothing(cluster: ControlPlane) -> None:
    with client_of(cluster, READER_CONTEXT) as reader:
        core, apps = official.CoreV1Api(reader), official.AppsV1Api(reader)
        assert core.list_node().items
        core.list_pod_for_all_namespaces()
        core.list_event_for_all_namespaces()
        apps.list_deployment_for_all_namespaces()
        official.AutoscalingV2Api(reader).list_horizontal_pod_autoscaler_for_all_namespaces()
        official.PolicyV1Api(reader).list_pod_disruption_budget_for_all_namespaces()
        official.RbacAuthorizationV1Api(reader).list_role_for_all_namespaces()
        official.CoordinationV1Api(reader).list_lease_for_all_namespaces()
        official.DiscoveryV1Api(reader).list_endpoint_slice_for_all_namespaces()
        for forbidden in (
            lambda: core.list_secret_for_all_namespaces(),
            lambda: core.delete_namespaced_service_account("default", "default"),
            lambda: core.patch_node("lab-node-1", {"spec": {"unschedulable": True}}),
        ):
            with pytest.raises(official.ApiException) as refused:
                forbidden()
            assert refused.value.status == 403


def test_a_node_may_not_read_what_is_not_its_pods(cluster: ControlPlane) -> None:
    path = cluster.layout.kubelet_kubeconfig("lab-node-1")
    with config.new_client_from_config(str(path)) as node:
        core = official.CoreV1Api(node)
        core.read_node("lab-node-1")
        for forbidden in (
            lambda: core.list_secret_for_all_namespaces(),
            lambda: core.patch_node_status("lab-node-2", {"status": {"phase": "Running"}}),
        ):
            with pytest.raises(official.ApiException) as refused:
                forbidden()
            assert refused.value.status == 403


def test_pods_are_scheduled_run_and_become_endpoints(cluster: ControlPlane, namespace: str) -> None:
    api = cluster.api
    app = deployment("web")
    api.create({**app, "metadata": {**app["metadata"], "namespace": namespace}})
    port = {"port": 80, "targetPort": 8000}
    meta = {"name": "web", "namespace": namespace}
    api.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": "web"}, "ports": [port]}}
    )

    def addresses() -> list[str]:
        found = api.list("endpoints", namespace=namespace, fields="metadata.name=web")
        subsets = [subset for item in found for subset in item.get("subsets") or []]
        return [address["ip"] for subset in subsets for address in subset.get("addresses") or []]

    eventually("two endpoints", lambda: len(addresses()) == 2)
    assert {pod["status"]["podIP"] for pod in api.list("pods", namespace=namespace)} == set(addresses())
    pod = api.list("pods", namespace=namespace)[0]
    assert {found["tolerationSeconds"] for found in pod["spec"]["tolerations"]} == {20}
    with client_of(cluster, READER_CONTEXT) as reader:
        log = official.CoreV1Api(reader).read_namespaced_pod_log(pod["metadata"]["name"], namespace)
    assert log.startswith("serving")


@pytest.mark.parametrize("component", list(PROGRAMS))
def test_each_is_repaired_when_it_is_killed(cluster: ControlPlane, component: str) -> None:
    # Those that watch the API server are started anew with it: they would wait long before they look again.
    follow = {"kube-controller-manager", "kube-scheduler"} if component == "kubernetes" else set()
    kept = {name: process.find(cluster.layout, name) for name in PROGRAMS if name not in {component, *follow}}
    _kill(cluster, component)
    assert cluster.healthy() == [f"{cluster.components[component]} does not run"]
    cluster.up([])
    assert cluster.answers()
    assert {name: process.find(cluster.layout, name) for name in kept} == kept


def test_all_killed_at_once_nothing_is_lost(cluster: ControlPlane, namespace: str) -> None:
    meta = {"name": "kept", "namespace": namespace}
    cluster.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}})
    for component in PROGRAMS:
        _kill(cluster, component)
    cluster.up([])
    assert cluster.api.get("configmaps", "kept", namespace=namespace)["data"] == {"a": "b"}
    work = {**deployment("after"), "metadata": {"name": "after", "namespace": namespace}}
    cluster.api.create(work)

    def ready() -> bool:
        status = cluster.api.get("deployments", "after", namespace=namespace).get("status", {})
        return bool(status.get("readyReplicas") == 2)

    eventually("controllers, scheduler and kubelets work again", ready, timeout=30)


def _kill(cluster: ControlPlane, component: str) -> None:
    running = process.find(cluster.layout, component)
    assert running is not None
    running.kill()
    psutil.wait_procs([running], timeout=5)


def test_a_frozen_api_server_is_named_and_woken(cluster: ControlPlane) -> None:
    running = process.find(cluster.layout, "kubernetes")
    assert running is not None
    running.send_signal(signal.SIGSTOP)
    eventually("frozen", lambda: running.status() == psutil.STATUS_STOPPED)
    assert cluster.healthy() == [f"the Kubernetes API server is frozen (pid {running.pid})"]
    cluster.up([])
    assert process.find(cluster.layout, "kubernetes") == running
    assert cluster.answers()


def test_nothing_is_written_outside_the_lab(cluster: ControlPlane) -> None:
    for component in PROGRAMS:
        running = process.find(cluster.layout, component)
        assert running is not None
        written = [found.path for found in running.open_files() if found.mode != "r"]
        assert [path for path in written if not path.startswith(str(cluster.layout.folder))] == []


@pytest.fixture
def metrics_server(cluster: ControlPlane) -> Iterator[list[dict[str, Any]]]:
    """Something that answers as the metrics server's place does; what it was asked, by whom."""
    asked: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            peer = self.connection.getpeercert()  # type: ignore[attr-defined]
            names = [value for part in peer["subject"] for key, value in part if key == "commonName"] if peer else []
            asked.append({"path": self.path, "by": names, "user": self.headers.get("X-Remote-User")})
            kind = {"kind": "NodeMetricsList"} if self.path.endswith("/nodes") else {"kind": "APIResourceList"}
            body = {**kind, "apiVersion": "metrics.k8s.io/v1beta1", "groupVersion": "metrics.k8s.io/v1beta1"}
            content = json.dumps({**body, "items": [], "resources": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    process.stop(cluster.layout, "metrics")  # the real one, in whose place it answers
    authority, address = Authority.open(cluster.layout), cluster.layout.metrics_api
    pair = authority.issue("contract-metrics", common_name="metrics-server", hosts=(bootstrap.METRICS_HOST,))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_cert_chain(pair.certificate, pair.key)
    server = http.server.ThreadingHTTPServer((address.host, address.port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield asked
    server.shutdown()
    server.server_close()


def test_metrics_are_asked_of_the_labs_server_by_the_front_proxy(
    cluster: ControlPlane, metrics_server: list[dict[str, Any]]
) -> None:
    path = "/apis/metrics.k8s.io/v1beta1/nodes"

    def passed_on() -> bool:
        try:
            return bool(cluster.api.request("GET", path)["kind"] == "NodeMetricsList")
        except (ApiError, LabError):  # 503 in plain words while it is not known to answer
            return False

    eventually("the API server passes metrics.k8s.io on", passed_on, timeout=60)
    mine = [question for question in metrics_server if question["path"] == path]
    assert mine[-1] == {"path": path, "by": ["front-proxy-client"], "user": "lab-admin"}


def test_the_command_says_what_it_found(cluster: ControlPlane, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    said = capsys.readouterr().out
    assert all(name in said for name in PROGRAMS.values())
