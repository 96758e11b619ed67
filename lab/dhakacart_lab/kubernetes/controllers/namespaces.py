# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces: each has its default ServiceAccount and root certificate; one under deletion is emptied, then goes."""

from __future__ import annotations

from collections.abc import Iterable

from ..kinds import CONFIG_MAP, KINDS, NAMESPACE, NODE, POD, SERVICE_ACCOUNT, Kind, Obj
from ..registry import DeleteOptions
from ..store import Change
from .base import Controller, Key, set_status, with_condition

SETTLED = (
    ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
     "All legacy kube types successfully parsed"),
    ("NamespaceDeletionContentFailure", "False", "ContentDeleted",
     "All content successfully deleted, may be waiting on finalization"),
)  # fmt: skip
ORDER = [*(name for name, *_ in SETTLED), "NamespaceContentRemaining", "NamespaceFinalizersRemaining"]
ROOT_CERTIFICATE: Obj = {
    "metadata": {
        "name": "kube-root-ca.crt",
        "annotations": {
            "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using"
            " internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is"
            " guaranteed across distributions of Kubernetes clusters."
        },
    },
    "data": {"ca.crt": ""},  # plain HTTP: there is no certificate, but the object is in every namespace
}
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
        elif change.type == "DELETED" and change.kind in (POD, SERVICE_ACCOUNT, CONFIG_MAP):
            yield "", meta["namespace"]

    def reconcile(self, key: Key) -> float | None:
        namespace = self.store.get(NAMESPACE, "", key[1])
        if namespace is None:
            return None
        if "deletionTimestamp" in namespace["metadata"]:
            return self._empty(namespace)
        if self.store.get(SERVICE_ACCOUNT, key[1], "default") is None:
            self.registry.create(SERVICE_ACCOUNT, key[1], {"metadata": {"name": "default"}})
        if self.store.get(CONFIG_MAP, key[1], "kube-root-ca.crt") is None:
            self.registry.create(CONFIG_MAP, key[1], ROOT_CERTIFICATE)
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
        left = {kind: found for kind in KINDS if kind.namespaced and (found := self.store.all(kind, name))}
        if left:
            self._describe(namespace, left)
            return 1.0
        self.registry.finish(NAMESPACE, namespace, "kubernetes")
        return None

    def _describe(self, namespace: Obj, left: dict[Kind, list[Obj]]) -> None:
        """Say in the namespace's status what it still waits for."""
        holders: dict[str, int] = {}
        for found in left.values():
            for obj in found:
                for finalizer in obj["metadata"].get("finalizers") or []:
                    holders[finalizer] = holders.get(finalizer, 0) + 1
        content = ", ".join(
            f"{kind.plural}.{kind.group} has {len(found)} resource instances" for kind, found in left.items()
        )
        held = ", ".join(f"{finalizer} in {count} resource instances" for finalizer, count in sorted(holders.items()))
        conditions: list[Obj] = namespace.get("status", {}).get("conditions", [])
        for name, state, reason, text in (
            *SETTLED,
            ("NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {content}"),
            ("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain",
             f"Some content in the namespace has finalizers remaining: {held}") if held else
            ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers",
             "All content-preserving finalizers finished"),
        ):  # fmt: skip
            conditions = with_condition(conditions, name, state, reason, text)
        status: Obj = {
            "phase": "Terminating",
            "conditions": sorted(conditions, key=lambda found: ORDER.index(found["type"])),
        }
        set_status(self.registry, NAMESPACE, namespace, status)
