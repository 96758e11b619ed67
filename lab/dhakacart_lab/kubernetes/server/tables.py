# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables, as ``kubectl get`` prints them: the columns of the kinds that an operator looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..kinds import CONFIG_MAP, DEPLOYMENT, LEASE, NODE, POD, REPLICA_SET, SECRET, Kind, Obj, is_true, now, parse_time

META = "meta.k8s.io/v1"
Column = tuple[str, str, Callable[[Obj], Any]]


def age(obj: Obj) -> str:
    """How old an object is, as kubectl shortens it."""
    seconds = int((now() - parse_time(obj["metadata"]["creationTimestamp"])).total_seconds())
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "m"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, seconds) // size}{unit}"
    return f"{seconds // 86400}d"


def _containers(obj: Obj) -> list[Obj]:
    found: list[Obj] = obj.get("status", {}).get("containerStatuses", [])
    return found


def _pod_status(pod: Obj) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for container in _containers(pod):
        state = container.get("state", {})
        for kind in ("waiting", "terminated"):
            if reason := state.get(kind, {}).get("reason"):
                return str(reason)
    return str(pod.get("status", {}).get("reason") or pod.get("status", {}).get("phase", ""))


def _node_status(node: Obj) -> str:
    ready = "Ready" if is_true(node, "Ready") else "NotReady"
    return f"{ready},SchedulingDisabled" if node.get("spec", {}).get("unschedulable") else ready


def _status(name: str) -> Callable[[Obj], int]:
    return lambda obj: int(obj.get("status", {}).get(name, 0))


COLUMNS: dict[Kind, list[Column]] = {
    POD: [
        ("Ready", "string", lambda pod: f"{sum(found.get('ready', False) for found in _containers(pod))}/{len(pod['spec']['containers'])}"),  # noqa: E501
        ("Status", "string", _pod_status),
        ("Restarts", "string", lambda pod: str(sum(found.get("restartCount", 0) for found in _containers(pod)))),
    ],
    DEPLOYMENT: [
        ("Ready", "string", lambda obj: f"{_status('readyReplicas')(obj)}/{obj['spec']['replicas']}"),
        ("Up-to-date", "string", _status("updatedReplicas")),
        ("Available", "string", _status("availableReplicas")),
    ],
    REPLICA_SET: [
        ("Desired", "integer", lambda obj: obj["spec"]["replicas"]),
        ("Current", "integer", _status("replicas")),
        ("Ready", "integer", _status("readyReplicas")),
    ],
    NODE: [("Status", "string", _node_status)],
    CONFIG_MAP: [("Data", "string", lambda obj: len(obj.get("data") or {}) + len(obj.get("binaryData") or {}))],
    SECRET: [
        ("Type", "string", lambda obj: obj.get("type", "")),
        ("Data", "string", lambda obj: len(obj.get("data") or {})),
    ],
    LEASE: [("Holder", "string", lambda obj: (obj.get("spec") or {}).get("holderIdentity", ""))],
}  # fmt: skip


def table(kind: Kind, body: Obj, include: str) -> Obj:
    """The Table of an object or of a list."""
    items = body.get("items", [body])
    columns: list[Column] = [
        ("Name", "string", lambda obj: obj["metadata"]["name"]),
        *COLUMNS.get(kind, []),
        ("Age", "string", age),
    ]
    definitions = [
        {"name": name, "type": of, "format": "name" if name == "Name" else "", "description": "", "priority": 0}
        for name, of, _ in columns
    ]
    rows = [{"cells": [cell(obj) for _, _, cell in columns], "object": _object(kind, obj, include)} for obj in items]
    meta = {k: v for k, v in body["metadata"].items() if k in ("resourceVersion", "continue", "remainingItemCount")}
    return {"kind": "Table", "apiVersion": META, "metadata": meta, "columnDefinitions": definitions, "rows": rows}


def _object(kind: Kind, obj: Obj, include: str) -> Obj | None:
    if include == "None":
        return None
    if include == "Object":
        return {"kind": kind.kind, "apiVersion": kind.api_version, **obj}
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": obj["metadata"]}
