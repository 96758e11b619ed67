# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces: each has its default ServiceAccount; one under deletion is emptied and then goes."""

from __future__ import annotations

from collections.abc import Iterable

from ..kinds import KINDS, NAMESPACE, NODE, POD, SERVICE_ACCOUNT, Kind, Obj
from ..registry import DeleteOptions
from ..store import Change
from .base import Controller, Key

SYSTEM = ("default", "kube-system", "kube-public", "kube-node-lease")  # a real API server makes them, too


class NamespaceController(Controller):
    def prepare(self) -> None:
        """Make the namespaces every cluster has."""
        for name in SYSTEM:
            if self.store.get(NAMESPACE, "", name) is None:
                self.registry.create(NAMESPACE, "", {"metadata": {"name": name}})

    def keys(self, change: Change) -> Iterable[Key]:
        meta = change.obj["metadata"]
        if change.kind == NAMESPACE:
            yield "", meta["name"]
        elif change.type == "DELETED" and change.kind in (POD, SERVICE_ACCOUNT):
            yield "", meta["namespace"]

    def reconcile(self, key: Key) -> float | None:
        namespace = self.store.get(NAMESPACE, "", key[1])
        if namespace is None:
            return None
        if "deletionTimestamp" in namespace["metadata"]:
            return self._empty(namespace)
        if self.store.get(SERVICE_ACCOUNT, key[1], "default") is None:
            self.registry.create(SERVICE_ACCOUNT, key[1], {"metadata": {"name": "default"}})
        return None

    def _options(self, kind: Kind, obj: Obj) -> DeleteOptions:
        """A pod of a node that does not exist has no kubelet to end it: pod garbage collection takes it at once."""
        node = obj["spec"].get("nodeName") if kind == POD else None
        return DeleteOptions(grace=0) if node and self.store.get(NODE, "", node) is None else DeleteOptions()

    def _empty(self, namespace: Obj) -> float | None:
        name = namespace["metadata"]["name"]
        for kind in KINDS:
            if kind.namespaced:
                for obj in self.store.all(kind, name):
                    self.registry.delete(kind, name, obj["metadata"]["name"], self._options(kind, obj))
        if any(self.store.all(kind, name) for kind in KINDS if kind.namespaced):
            return 1.0
        self.registry.finish(NAMESPACE, namespace, "kubernetes")
        return None
