# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects without what moves by itself."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from ..kubernetes.api import Api
from ..kubernetes.kinds import ENDPOINT_SLICE, ENDPOINTS, EVENT, KINDS, LEASE, POD, REPLICA_SET, SECRET, Obj, is_true
from ..lab import Lab

# Versions, heartbeats and records; an object that was deleted and made again as it was is the same.
MOVING = ("resourceVersion", "managedFields", "generation", "uid", "creationTimestamp", "selfLink")
HISTORY = "deployment.kubernetes.io/"  # revisions, which only ever grow
# Records, heartbeats, and what follows from pods.
DERIVED = (EVENT, LEASE, ENDPOINTS, ENDPOINT_SLICE)
COUNTED = (*DERIVED, POD, REPLICA_SET)


def objects(api: Api) -> dict[str, Any]:
    """Every object but those that follow from others: ``kind namespace/name`` -> its content without moving fields."""
    return {
        _name(kind.kind, item): _content(item, kind == SECRET)
        for kind in KINDS
        if kind not in COUNTED
        for item in api.list(kind.plural)
    }


def items(lab: Lab) -> dict[str, Any]:
    """The objects, what runs of them, and the services' endpoints by count."""
    api = lab.kubernetes.api
    return {**objects(api), **_replica_sets(api), **_pods(api), **_endpoints(api)}


def _name(kind: str, item: Obj) -> str:
    meta = item["metadata"]
    return f"{kind.lower()} {'/'.join(filter(None, (meta.get('namespace'), meta['name'])))}"


def _content(item: Obj, secret: bool = False) -> dict[str, Any]:
    meta = {key: value for key, value in item["metadata"].items() if key not in (*MOVING, "name", "namespace")}
    annotations = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if not k.startswith(HISTORY)}
    for label, value in (("annotation", annotations), ("label", meta.pop("labels", None))):
        if value:
            meta[label] = value
    found = {key: value for key, value in item.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    if secret and found.get("data"):
        found["data"] = {key: digest(value) for key, value in found["data"].items()}
    return {**found, **meta}


def digest(text: str) -> str:
    """A secret so that it can be compared and not be read."""
    return f"digest {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _replica_sets(api: Api) -> dict[str, Any]:
    """Those that have pods, under their owner's name: their hash follows from the template."""
    return {
        f"replicaset {item['metadata']['namespace']}/{_owner(item)}": {
            "replicas": item["spec"]["replicas"],
            "template": item["spec"]["template"],
        }
        for item in api.list("replicasets")
        if item["spec"].get("replicas")
    }


def _owner(item: Obj) -> str:
    owners = item["metadata"].get("ownerReferences") or []
    return str(owners[0]["name"]) if owners else f"{item['metadata']['name']} (of nobody)"


def _pods(api: Api) -> dict[str, Any]:
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"pods": 0, "ready": 0})
    for pod in api.list("pods"):
        count = found[f"pods {pod['metadata']['namespace']}/{_owner(pod)}"]
        count["pods"] += 1
        count["ready"] += is_true(pod, "Ready")
    return dict(found)


def _endpoints(api: Api) -> dict[str, Any]:
    return {
        _name("endpoints", item): {
            "ready": sum(len(subset.get("addresses") or []) for subset in item.get("subsets") or []),
            "not ready": sum(len(subset.get("notReadyAddresses") or []) for subset in item.get("subsets") or []),
        }
        for item in api.list("endpoints")
    }
