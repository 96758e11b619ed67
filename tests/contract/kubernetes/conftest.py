# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated cluster for these tests; each test has a namespace of its own."""

from __future__ import annotations

import itertools
import json
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes.api import Api
from dhakacart_lab.kubernetes.providers.simulated import Simulated
from dhakacart_lab.layout import Layout
from kubernetes import client as official
from kubernetes import config

SUBNET = 151
CREDENTIALS = ("db-admin", "db-app", "db-replication", "redis-token", "kube-admin-token", "kube-readonly-token")
# A container that answers 200, or 503 while a file "sick" is in its folder, or not at all while "frozen" is.
SERVER = """
import http.server, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists("sick") else 200)
        self.end_headers()
        self.wfile.write(os.environ.get("GREETING", "").encode())
print("serving on", os.environ["LAB_LISTEN_ADDRESS"], flush=True)
http.server.ThreadingHTTPServer((os.environ["LAB_LISTEN_ADDRESS"], 8000), Handler).serve_forever()
"""
Object = dict[str, Any]
COUNTER = itertools.count(1)


def python(code: str) -> list[str]:
    """The command of a container that runs Python code."""
    return [sys.executable, "-S", "-c", code]


class Cluster:
    """The running cluster, and the shapes the tests need most."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.provider = Simulated(layout)
        self.api = Api(layout.kubeconfig)
        self.namespace = "default"

    @staticmethod
    def eventually(what: str, probe: Callable[[], Any], *, timeout: float = 10.0) -> Any:
        """The first true answer of ``probe``; fails with its last answer after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while not (answer := probe()):
            if time.monotonic() > end:
                pytest.fail(f"{what}: not within {timeout:.0f} s, last answer {answer!r}")
            time.sleep(0.03)
        return answer

    def get(self, resource: str, name: str) -> Object:
        return self.api.get(resource, name, namespace=self.namespace)

    def pods(self, labels: str = "") -> list[Object]:
        return self.api.list("pods", namespace=self.namespace, labels=labels)

    def events(self, reason: str) -> list[Object]:
        return self.api.list("events", namespace=self.namespace, fields=f"reason={reason}")

    @staticmethod
    def container(code: str = SERVER, **more: Any) -> Object:
        address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
        env = [address, *more.pop("env", [])]
        return {"name": "c", "image": "dhakacart/busybox:1", "command": python(code), "env": env, **more}

    @staticmethod
    def web(**more: Any) -> Object:
        """A container that serves HTTP on 8000 and is probed every second."""
        probe = {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1, "failureThreshold": 1}
        return Cluster.container(startupProbe={**probe, "failureThreshold": 30}, readinessProbe=probe, **more)

    def pod(self, name: str, container: Object, **spec: Any) -> Object:
        """Create a pod."""
        meta = {"name": name, "namespace": self.namespace, "labels": {"app": name}}
        spec = {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}
        return self.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    def deployment(self, name: str, container: Object | None = None, **spec: Any) -> Object:
        """Create a deployment; without a container its pods are of an image that cannot be had."""
        container = container or {"name": "c", "image": "nowhere/nothing:1"}
        template = {
            "metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
        }
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
        meta = {"name": name, "namespace": self.namespace}
        return self.api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})

    def rolled_out(self, name: str, *, timeout: float = 15.0) -> Object:
        """The deployment once all its pods are new and ready."""

        def done() -> Object | None:
            found = self.get("deployments", name)
            status, wanted = found.get("status", {}), found["spec"]["replicas"]
            counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")}
            current = status.get("observedGeneration") == found["metadata"]["generation"]
            return found if current and counts == {wanted} else None

        return self.eventually(f"rollout of {name}", done, timeout=timeout)

    def container_folder(self, pod: str) -> Path:
        return next(iter((self.layout.folder / "pods").glob(f"*/{self.namespace}_{pod}_*/c")))


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="kube-contract-", dir="/var/tmp"))
    layout = Layout(name="t", folder=folder, subnet=SUBNET, lab_id=f"t-{secrets.token_hex(4)}")
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    layout.credentials.mkdir(mode=0o700)
    for name in CREDENTIALS:
        (layout.credentials / name).write_text(secrets.token_urlsafe(16), encoding="utf-8")
    found = Cluster(layout)
    try:
        found.provider.up([])
        yield found
    finally:
        found.provider.down()
        process.end(process.all_of(layout.lab_id), timeout=2)
        shutil.rmtree(folder)


@pytest.fixture
def cluster(_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, with a fresh namespace."""
    _cluster.namespace = f"test-{next(COUNTER)}"
    _cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _cluster.namespace}})
    yield _cluster
    _cluster.api.delete("namespaces", _cluster.namespace)


@pytest.fixture
def client(_cluster: Cluster) -> Iterator[official.ApiClient]:
    """The official Python client, as the administrator."""
    with config.new_client_from_config(str(_cluster.layout.kubeconfig), context="lab") as found:
        yield found


@pytest.fixture
def reader(_cluster: Cluster) -> Iterator[official.ApiClient]:
    """The official Python client, as the reader."""
    with config.new_client_from_config(str(_cluster.layout.kubeconfig), context="lab-readonly") as found:
        yield found
