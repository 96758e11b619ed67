# SPDX-License-Identifier: GPL-3.0-or-later
"""Service → Endpoints and EndpointSlice: which pods take traffic, by their readiness."""

from __future__ import annotations

from collections.abc import Iterable

from ..kinds import ENDPOINT_SLICE, ENDPOINTS, POD, SERVICE, Obj, is_true, owner_reference
from ..registry import random_suffix
from ..store import Change
from .base import Controller, Key, selected_pods

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"


class EndpointsController(Controller):
    def keys(self, change: Change) -> Iterable[Key]:
        namespace = change.obj["metadata"].get("namespace", "")
        if change.kind in (SERVICE, ENDPOINTS):
            yield namespace, change.obj["metadata"]["name"]
        elif change.kind == ENDPOINT_SLICE:
            if name := change.obj["metadata"].get("labels", {}).get(SERVICE_NAME):
                yield namespace, name
        elif change.kind == POD:
            for service in self.store.all(SERVICE, namespace):
                if wanted := service["spec"].get("selector"):
                    for state in (change.obj, change.previous):
                        if state and wanted.items() <= (state["metadata"].get("labels") or {}).items():
                            yield namespace, service["metadata"]["name"]
                            break

    def reconcile(self, key: Key) -> float | None:
        service = self.store.get(SERVICE, *key)
        if service is None:
            endpoints = self.store.get(ENDPOINTS, *key)
            if endpoints and endpoints["metadata"].get("annotations", {}).get(MANAGED_BY) == CONTROLLER:
                self.registry.delete(ENDPOINTS, *key)
            return None
        if not service["spec"].get("selector"):
            return None
        pods = [
            pod
            for pod in selected_pods(self.registry, key[0], {"matchLabels": service["spec"]["selector"]})
            if pod.get("status", {}).get("podIP") and pod["status"].get("phase") not in ("Succeeded", "Failed")
        ]
        self._write_endpoints(service, [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]])
        self._write_slice(service, pods)
        return None

    def _write_endpoints(self, service: Obj, pods: list[Obj]) -> None:
        meta = service["metadata"]
        subsets: dict[str, Obj] = {}
        for pod in pods:
            ports = _ports(service, pod)
            subset = subsets.setdefault(str(ports), {"ports": ports})
            ready = is_true(pod, "Ready") or service["spec"].get("publishNotReadyAddresses")
            subset.setdefault("addresses" if ready else "notReadyAddresses", []).append(
                {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}
            )
        for subset in subsets.values():
            for field in ("addresses", "notReadyAddresses"):
                if field in subset:
                    subset[field].sort(key=lambda address: str(address["ip"]))
        wanted: Obj = {
            "metadata": {
                "name": meta["name"],
                "namespace": meta["namespace"],
                "labels": meta.get("labels", {}),
                "annotations": {MANAGED_BY: CONTROLLER},
            }
        }
        if subsets:
            wanted["subsets"] = [_ordered(subset) for subset in subsets.values()]
        found = self.store.get(ENDPOINTS, meta["namespace"], meta["name"])
        if found is None:
            self.registry.create(ENDPOINTS, meta["namespace"], wanted)
        elif found.get("subsets") != wanted.get("subsets") or found["metadata"].get("labels", {}) != meta.get(
            "labels", {}
        ):
            self.registry.update(ENDPOINTS, meta["namespace"], meta["name"], wanted)

    def _write_slice(self, service: Obj, pods: list[Obj]) -> None:
        meta = service["metadata"]
        endpoints = [_endpoint(pod, service) for pod in pods]
        endpoints.sort(key=lambda endpoint: str(endpoint["addresses"][0]))
        ports = _ports(service, pods[0]) if pods else []
        slices = [
            found
            for found in self.store.all(ENDPOINT_SLICE, meta["namespace"])
            if found["metadata"].get("labels", {}).get(SERVICE_NAME) == meta["name"]
        ]
        if not slices:
            self.registry.create(
                ENDPOINT_SLICE,
                meta["namespace"],
                {
                    "metadata": {
                        "name": f"{meta['name']}-{random_suffix()}",
                        "labels": {**meta.get("labels", {}), SERVICE_NAME: meta["name"], MANAGED_BY: CONTROLLER},
                        "ownerReferences": [owner_reference(SERVICE, service)],
                    },
                    "addressType": "IPv4",
                    "endpoints": endpoints,
                    "ports": ports,
                },
            )
            return

        def change(copy: Obj) -> None:
            copy["endpoints"], copy["ports"] = endpoints, ports

        self.registry.modify(ENDPOINT_SLICE, slices[0], change)


def _ordered(subset: Obj) -> Obj:
    return {key: subset[key] for key in ("addresses", "notReadyAddresses", "ports") if key in subset}


def _ports(service: Obj, pod: Obj) -> list[Obj]:
    """The service's ports as this pod has them: a named target port is looked up in its containers."""
    found: list[Obj] = []
    for port in service["spec"].get("ports") or []:
        target = port["targetPort"]
        if isinstance(target, str):
            named = [
                declared["containerPort"]
                for container in pod["spec"]["containers"]
                for declared in container.get("ports") or []
                if declared.get("name") == target
            ]
            if not named:
                continue
            target = named[0]
        entry = {"name": port["name"]} if port.get("name") else {}
        found.append({**entry, "port": target, "protocol": port["protocol"]})
    return found


def _target(pod: Obj) -> Obj:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def _endpoint(pod: Obj, service: Obj) -> Obj:
    leaving = "deletionTimestamp" in pod["metadata"]
    serving = is_true(pod, "Ready")
    ready = (serving and not leaving) or bool(service["spec"].get("publishNotReadyAddresses"))
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": leaving},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": _target(pod),
    }
