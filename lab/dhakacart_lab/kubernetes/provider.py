# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab's Kubernetes comes from: one interface, and the simulated one behind it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from typing import Protocol

import yaml

from .. import process
from ..layout import LabError, Layout
from . import containers, manifests
from .api import Api
from .errors import ApiError
from .kinds import BY_TYPE, Obj, is_true

CONTEXT, READER_CONTEXT = "lab", "lab-readonly"
SERVER_START = 15.0  # seconds
PODS_READY = 45.0  # seconds
NODE = "lab-node-1"
CONTROLLERS = "deployment.kubernetes.io/"  # annotations under this are the deployment controller's
WAITING = {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "RunContainerError"}
KEPT_FOR_UNDO = "-previous"  # the copy of a Secret that a repair has changed; healed, there is nothing to undo
RESET_KINDS = {
    "Namespace",
    "Secret",
    "ConfigMap",
    "Deployment",
    "Service",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Ingress",
}


class Provider(Protocol):
    """A Kubernetes for the lab."""

    def up(self, objects: Iterable[Obj]) -> None:
        """Start what is dead, create the objects that are missing, wait until the backend's pods are ready."""

    def down(self) -> None:
        """End everything it started, the pods included."""

    def healthy(self) -> list[str]:
        """What is wrong, each in one line; empty where all is well."""

    def reset(self) -> None:
        """Put DhakaCart's objects back to the manifests."""


class Simulated:
    """Our API server, controllers and kubelet, as local processes."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.api = Api(layout)

    def up(self, objects: Iterable[Obj], *, wait: bool = True) -> None:
        """As :meth:`Provider.up`; an object that exists stays as it is. ``wait=False`` does not wait for pods."""
        layout = self.layout
        write_kubeconfig(layout)
        for component in ("kubernetes", "kubelet"):
            if frozen := process.find(layout, component):
                frozen.send_signal(signal.SIGCONT)
        process.start_python(layout, "kubernetes", "dhakacart_lab.kubernetes.server")
        log = layout.logs / "kubernetes.log"
        process.wait_for("the Kubernetes API", self._answers, timeout=SERVER_START, log=log, interval=0.02)
        process.start_python(layout, "kubelet", "dhakacart_lab.kubernetes.kubelet")
        # first a node, then pods: otherwise every start begins with a FailedScheduling warning.
        process.wait_for(f"node {NODE}", self._node_ready, timeout=SERVER_START, log=layout.logs / "kubelet.log")
        wanted = list(objects)
        for obj in wanted:
            self._create_missing(obj)
        if wait:
            deployments = [obj["metadata"] for obj in wanted if obj["kind"] == "Deployment"]
            self._wait_for(deployments)

    def _answers(self) -> bool:
        try:
            self.api.request("GET", "/version")
        except LabError:
            return False
        return True

    def _node_ready(self) -> bool:
        try:
            return is_true(self.api.get("nodes", NODE), "Ready")
        except ApiError:
            return False

    def _create_missing(self, obj: Obj) -> None:
        try:
            self.api.create(obj)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                meta = obj["metadata"]
                where = f"{obj['kind']} {meta.get('namespace', '')}/{meta['name']}"
                raise LabError(f"{where}: {error}; remedy: correct kubernetes/manifests.yaml") from None

    def _wait_for(self, deployments: list[Obj]) -> None:
        def ready() -> bool:
            for meta in deployments:
                if not _rolled_out(self.api.get("deployments", meta["name"], namespace=meta["namespace"])):
                    return False
            return True

        log = self.layout.logs / "kubelet.log"
        process.wait_for("the backend's pods", ready, timeout=PODS_READY, log=log, interval=0.1)

    def down(self) -> None:
        process.stop(self.layout, "kubelet")
        for container in containers.running(self.layout):
            process.end([container.process], timeout=2.0)
        process.stop(self.layout, "kubernetes")

    def healthy(self) -> list[str]:
        problems = []
        for component, what in (("kubernetes", "the Kubernetes API server"), ("kubelet", "the kubelet")):
            running = process.find(self.layout, component)
            if running is None:
                problems.append(f"{what} does not run")
            elif running.status() == "stopped":
                problems.append(f"{what} is frozen (pid {running.pid})")
        if problems:
            return problems
        try:
            node = self.api.get("nodes", NODE)
            backend = self.api.get("deployments", manifests.BACKEND, namespace=self.layout.namespace)
        except (ApiError, LabError) as error:
            return [str(error)]
        if not is_true(node, "Ready"):
            problems.append(f"node {NODE} is not ready")
        if not _rolled_out(backend):
            wanted, ready = backend["spec"]["replicas"], backend.get("status", {}).get("readyReplicas", 0)
            problems.append(f"{manifests.BACKEND}: {ready} of {wanted} pods are ready, or a rollout is under way")
        return problems

    def reset(self) -> None:
        """Put DhakaCart's objects back to the manifests, and what is frozen or dead of it back to work."""
        for container in containers.running(self.layout):
            container.process.send_signal(signal.SIGCONT)
        wanted = manifests.objects(self.layout)
        self.up(wanted, wait=False)
        for obj in wanted:
            if obj["kind"] in RESET_KINDS:
                self._put_back(obj)
        for secret in self.api.list("secrets", namespace=self.layout.namespace):
            if (name := secret["metadata"]["name"]).endswith(KEPT_FOR_UNDO):
                self.api.delete("secrets", name, namespace=self.layout.namespace)
        for pod in self.api.list("pods", namespace=self.layout.namespace):
            if _waits(pod):  # a new pod starts at once; this one would wait for the end of its back-off
                self._delete_pod(pod)
        self.api.patch("nodes", NODE, {"spec": {"unschedulable": None}})

    def _put_back(self, obj: Obj) -> None:
        """Replace an object, keeping what controllers noted on it; one whose immutable fields differ is made anew."""
        meta, plural = obj["metadata"], BY_TYPE[obj["apiVersion"], obj["kind"]].plural
        namespace = meta.get("namespace")
        current = self.api.get(plural, meta["name"], namespace=namespace)
        noted = {k: v for k, v in (current["metadata"].get("annotations") or {}).items() if k.startswith(CONTROLLERS)}
        if noted:
            obj = {**obj, "metadata": {**meta, "annotations": {**noted, **meta.get("annotations", {})}}}
        try:
            self.api.replace(obj)
        except ApiError as error:
            if error.code != 422:
                raise LabError(f"{obj['kind']} {meta['name']}: {error}; remedy: runbook lab up") from None
            self.api.delete(plural, meta["name"], namespace=namespace)
            self.api.create(obj)

    def _delete_pod(self, pod: Obj, *, grace: int | None = 0) -> None:
        meta = pod["metadata"]
        try:
            self.api.delete("pods", meta["name"], namespace=meta["namespace"], grace=grace)
        except ApiError as error:
            if error.code != 404:
                raise

    def restart_backend(self) -> None:
        """Replace every backend pod by a new one and wait until they are ready; no back-off is carried over."""
        namespace, labels = self.layout.namespace, f"app={manifests.BACKEND}"
        old = self.api.list("pods", namespace=namespace, labels=labels)
        for pod in old:
            self._delete_pod(pod, grace=1)
        gone = {pod["metadata"]["uid"] for pod in old}

        def replaced() -> bool:
            wanted = self.api.get("deployments", manifests.BACKEND, namespace=namespace)["spec"]["replicas"]
            pods = self.api.list("pods", namespace=namespace, labels=labels)
            ready = [pod for pod in pods if is_true(pod, "Ready") and pod["metadata"]["uid"] not in gone]
            return len(ready) >= int(wanted)

        process.wait_for("the new backend pods", replaced, timeout=PODS_READY, log=self.layout.logs / "kubelet.log")


def _rolled_out(deployment: Obj) -> bool:
    """Whether every pod is of the newest template and ready, and no other is left."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    current = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return current and all(status.get(count, 0) == wanted for count in ("replicas", "updatedReplicas", "readyReplicas"))


def _waits(pod: Obj) -> bool:
    """Whether a container of the pod sits out a back-off or waits for a missing Secret."""
    states = [found["state"].get("waiting", {}) for found in pod.get("status", {}).get("containerStatuses", [])]
    return any(state.get("reason") in WAITING for state in states)


def write_kubeconfig(layout: Layout) -> None:
    """The lab's kubeconfig, 0600: contexts ``lab`` (administrator) and ``lab-readonly``."""
    users = {CONTEXT: "kube-admin-token", READER_CONTEXT: "kube-readonly-token"}
    cluster = f"{layout.prefix}-cluster"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": f"http://{layout.kubernetes_api}"}}],
        "users": [{"name": name, "user": {"token": layout.secret(token)}} for name, token in users.items()],
        "contexts": [
            {"name": name, "context": {"cluster": cluster, "user": name, "namespace": layout.namespace}}
            for name in users
        ],
        "current-context": CONTEXT,
    }
    temporary = layout.kubeconfig.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump(config, file, sort_keys=False)
    temporary.replace(layout.kubeconfig)
