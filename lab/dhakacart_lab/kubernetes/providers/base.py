# SPDX-License-Identifier: GPL-3.0-or-later
"""What every provider does: objects and pods, through the API only. Who serves the API is the subclass's."""

from __future__ import annotations

import abc
import signal
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from ... import process
from ...layout import LabError, Layout
from .. import containers, manifests
from ..api import Api
from ..errors import ApiError
from ..kinds import BY_TYPE, Obj, is_true

NODES_READY = 20.0  # seconds
PODS_READY = 45.0  # seconds
NOT_READY_TAINT = "node.kubernetes.io/not-ready"
KUBELET = "dhakacart_lab.kubernetes.kubelet"
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


def kubelet_component(node: str) -> str:
    """The name under which the kubelet of a node runs: ``kubelet-1`` of ``lab-node-1``."""
    return f"kubelet-{node.rpartition('-')[2]}"


class Provider(abc.ABC):
    """A Kubernetes for the lab, with process kubelets as its nodes.

    :cvar components: the processes that serve its API, in the order they start, and what a person calls them.
    """

    components: ClassVar[Mapping[str, str]]

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.api = Api(layout.kubeconfig)

    @abc.abstractmethod
    def start(self) -> None:
        """Start what is dead of the control plane, until its API answers. The kubeconfig is written by then."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End what :meth:`start` started. The kubelets and their containers have ended by then."""

    def up(self, objects: Iterable[Obj], *, wait: bool = True) -> None:
        """Start what is dead, create the objects that are missing; an object that exists stays as it is.

        :param wait: until the pods of the objects are ready.
        """
        self._thaw()
        self.start()
        self._start_kubelets()
        wanted = list(objects)
        for obj in wanted:
            self._create_missing(obj)
        if wait:
            deployments = [obj["metadata"] for obj in wanted if obj["kind"] == "Deployment"]
            self._wait_for(deployments)

    def _thaw(self) -> None:
        for component in (*self.components, *map(kubelet_component, self.layout.kubelets)):
            if frozen := process.find(self.layout, component):
                frozen.send_signal(signal.SIGCONT)

    def _start_kubelets(self) -> None:
        """First nodes, then pods: otherwise every start begins with a FailedScheduling warning."""
        for node in self.layout.kubelets:
            process.start_python(self.layout, kubelet_component(node), KUBELET, node)
        for node in self.layout.kubelets:
            log = self.layout.logs / f"{kubelet_component(node)}.log"
            process.wait_for(f"node {node}", self._is_ready(node), timeout=NODES_READY, log=log)

    def answers(self) -> bool:
        """Whether the API server takes requests."""
        try:
            self.api.request("GET", "/version")
        except (ApiError, LabError):
            return False
        return True

    def _is_ready(self, node: str) -> Callable[[], bool]:
        def ready() -> bool:
            try:
                found = self.api.get("nodes", node)
            except ApiError:
                return False
            # The taint goes a moment later; until then the scheduler would put every pod on the other node.
            taints = {taint["key"] for taint in found["spec"].get("taints") or []}
            return is_true(found, "Ready") and NOT_READY_TAINT not in taints

        return ready

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

        process.wait_for("the backend's pods", ready, timeout=PODS_READY, log=self.layout.logs, interval=0.1)

    def down(self, report: Callable[[str], None] = lambda _line: None) -> None:  # noqa: ARG002 - some have to say
        """End everything, the pods included.

        :param report: hears what could not be ended or taken away.
        """
        for node in self.layout.kubelets:
            process.stop(self.layout, kubelet_component(node))
        for container in containers.running(self.layout):
            process.end([container.process], timeout=2.0)
        self.stop()

    def healthy(self) -> list[str]:
        """What is wrong, each in one line; empty where all is well."""
        if problems := self._ill_processes():
            return problems
        try:
            nodes = {node: self.api.get("nodes", node) for node in self.layout.kubelets}
            backend = self.api.get("deployments", manifests.BACKEND, namespace=self.layout.namespace)
        except (ApiError, LabError) as error:
            return [str(error)]
        problems = [f"node {name} is not ready" for name, node in nodes.items() if not is_true(node, "Ready")]
        if not _rolled_out(backend):
            wanted, ready = backend["spec"]["replicas"], backend.get("status", {}).get("readyReplicas", 0)
            problems.append(f"{manifests.BACKEND}: {ready} of {wanted} pods are ready, or a rollout is under way")
        return problems

    def _ill_processes(self) -> list[str]:
        problems = []
        kubelets = {kubelet_component(node): f"the kubelet of {node}" for node in self.layout.kubelets}
        for component, what in {**self.components, **kubelets}.items():
            running = process.find(self.layout, component)
            if running is None:
                problems.append(f"{what} does not run")
            elif running.status() == "stopped":
                problems.append(f"{what} is frozen (pid {running.pid})")
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
        for node in self.layout.kubelets:
            self.api.patch("nodes", node, {"spec": {"unschedulable": None}})

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

        process.wait_for("the new backend pods", replaced, timeout=PODS_READY, log=self.layout.logs)


def _rolled_out(deployment: Obj) -> bool:
    """Whether every pod is of the newest template and ready, and no other is left."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    current = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return current and all(status.get(count, 0) == wanted for count in ("replicas", "updatedReplicas", "readyReplicas"))


def _waits(pod: Obj) -> bool:
    """Whether a container of the pod sits out a back-off or waits for a missing Secret."""
    states = [found["state"].get("waiting", {}) for found in pod.get("status", {}).get("containerStatuses", [])]
    return any(state.get("reason") in WAITING for state in states)
