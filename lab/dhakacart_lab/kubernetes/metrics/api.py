# SPDX-License-Identifier: GPL-3.0-or-later
"""metrics.k8s.io: discovery, and what nodes and pods use, in the form of the metrics server of Kubernetes.

Nothing here knows of HTTP: the simulated API server and the metrics server of the lab both answer with it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping

from ..errors import ApiError, no_such_path
from ..kinds import NODE, POD, Kind, Obj, timestamp
from ..selectors import Predicate, field_predicate, label_predicate
from .samples import Samples, Used

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
VERBS = ["get", "list"]
# For messages of what is refused.
POD_METRICS = Kind(GROUP, VERSION, "PodMetrics", "pods")
NODE_METRICS = Kind(GROUP, VERSION, "NodeMetrics", "nodes", False)
GroupVersions = dict[str, object]


def group() -> Obj:
    """The APIGroup, without its kind, as in an APIGroupList."""
    version = {"groupVersion": API_VERSION, "version": VERSION}
    return {"name": GROUP, "versions": [version], "preferredVersion": version}


def resources() -> Obj:
    """The APIResourceList."""
    listed = [
        {"name": kind.plural, "singularName": "", "namespaced": kind.namespaced, "kind": kind.kind, "verbs": VERBS}
        for kind in (NODE_METRICS, POD_METRICS)
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API_VERSION, "resources": listed}


def target(path: str) -> tuple[Kind, str, str] | None:
    """(kind, namespace, name) that a path names, "" where it names none; None for what is no resource's path."""
    parts = path.strip("/").split("/")
    if parts[:3] != ["apis", GROUP, VERSION]:
        return None
    match parts[3:]:
        case ["nodes"]:
            return NODE_METRICS, "", ""
        case ["nodes", name]:
            return NODE_METRICS, "", name
        case ["pods"]:
            return POD_METRICS, "", ""
        case ["namespaces", namespace, "pods"]:
            return POD_METRICS, namespace, ""
        case ["namespaces", namespace, "pods", name]:
            return POD_METRICS, namespace, name
        case _:
            return None


class MetricsApi:
    """Answers reads. ``pods`` and ``nodes`` give the objects there are now."""

    def __init__(self, samples: Samples, pods: Callable[[], Iterable[Obj]], nodes: Callable[[], Iterable[Obj]]) -> None:
        self._samples, self._pods, self._nodes = samples, pods, nodes

    def answer(self, path: str, query: Mapping[str, str]) -> Obj:
        """The object or list that a GET of ``path`` gives; ApiError 404 for what is not known."""
        found = target(path)
        if found is None:
            raise no_such_path()
        kind, namespace, name = found
        if kind == NODE_METRICS:
            return self.node(name) if name else _list(kind, self.nodes(query))
        return self.pod(namespace, name) if name else _list(kind, self.pods(namespace, query))

    def nodes(self, query: Mapping[str, str]) -> list[Obj]:
        """The NodeMetrics of the nodes that match, without those that are not known yet."""
        matches = _matching(NODE, query)
        found = sorted((node for node in self._nodes() if matches(node)), key=_name)
        return [measured for node in found if (measured := self._node(node))]

    def node(self, name: str) -> Obj:
        node = next((found for found in self._nodes() if found["metadata"]["name"] == name), None)
        if node is None:
            raise ApiError(404, "NotFound", f'node "{name}" not found', kind=NODE, name=name)
        return _typed(NODE_METRICS, self._node(node), name)

    def _node(self, node: Obj) -> Obj | None:
        used = self._samples.node(node["metadata"]["name"])
        return {**_frame(node, used), "usage": _usage(used)} if used else None

    def pods(self, namespace: str, query: Mapping[str, str]) -> list[Obj]:
        """The PodMetrics of the pods that match, without those that are not known yet."""
        matches = _matching(POD, query)
        inside = [pod for pod in self._pods() if not namespace or pod["metadata"]["namespace"] == namespace]
        found = sorted(filter(matches, inside), key=lambda pod: (pod["metadata"]["namespace"], _name(pod)))
        return [measured for pod in found if (measured := self._pod(pod))]

    def pod(self, namespace: str, name: str) -> Obj:
        for pod in self._pods():
            if (pod["metadata"]["namespace"], _name(pod)) == (namespace, name):
                return _typed(POD_METRICS, self._pod(pod), f"{namespace}/{name}")
        raise ApiError(404, "NotFound", f'pods "{name}" not found', kind=POD, name=name)

    def _pod(self, pod: Obj) -> Obj | None:
        meta = pod["metadata"]
        if pod.get("status", {}).get("phase") != "Running":
            return None
        used = self._samples.pod(pod["spec"].get("nodeName", ""), meta["namespace"], meta["name"])
        if not used:
            return None
        earliest = min(used.values(), key=lambda found: found.moment)
        containers = [{"name": name, "usage": _usage(found)} for name, found in used.items()]
        return {**_frame(pod, earliest), "containers": containers}


def _name(obj: Obj) -> str:
    return str(obj["metadata"]["name"])


def _matching(kind: Kind, query: Mapping[str, str]) -> Predicate:
    tests: list[Predicate] = []
    if text := query.get("labelSelector"):
        tests.append(label_predicate(text))
    if text := query.get("fieldSelector"):
        tests.append(field_predicate(kind, text))
    return lambda obj: all(test(obj) for test in tests)


def _frame(obj: Obj, used: Used) -> Obj:
    meta = obj["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace", "labels") if meta.get(key)}
    moment = datetime.datetime.fromtimestamp(used.moment, datetime.UTC)
    return {
        "metadata": {**kept, "creationTimestamp": timestamp()},
        "timestamp": timestamp(moment),
        "window": f"{used.window:.3f}s",
    }


def _usage(used: Used) -> Obj:
    """Nanocores and Ki, as the real one writes them."""
    return {"cpu": f"{int(used.cpu * 1e9)}n", "memory": f"{used.memory // 1024}Ki"}


def _typed(kind: Kind, measured: Obj | None, name: str) -> Obj:
    if measured is None:
        plural = f"{kind.kind.lower()}"
        error = ApiError(404, "NotFound", f'{plural}.{GROUP} "{name}" not found', kind=kind, name=name)
        error.details["kind"] = plural
        raise error
    return {"kind": kind.kind, "apiVersion": API_VERSION, **measured}


def _list(kind: Kind, items: list[Obj]) -> Obj:
    return {"kind": f"{kind.kind}List", "apiVersion": API_VERSION, "metadata": {}, "items": items}
