# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds the simulated API server knows: names, scope and subresources, as Kubernetes 1.28 has them."""

from __future__ import annotations

import copy
import datetime
import random
from dataclasses import dataclass
from typing import Any

SAFE = "bcdfghjklmnpqrstvwxz2456789"  # the alphabet of generated names
Obj = dict[str, Any]  # a Kubernetes object or part of one, as in JSON


@dataclass(frozen=True)
class Kind:
    """One resource. ``generation``: whether a change of its spec counts ``metadata.generation`` up."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generation: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def qualified(self) -> str:
        """The name error messages use: deployments.apps, pods."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_spec(self) -> bool:
        return self.has_status or self.plural in ("networkpolicies", "leases")

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of a collection, an object or a subresource."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/" + "/".join(parts)


NAMESPACE = Kind("", "v1", "Namespace", "namespaces", False, ("ns",), ("status", "finalize"))
NODE = Kind("", "v1", "Node", "nodes", False, ("no",), ("status",))
POD = Kind("", "v1", "Pod", "pods", True, ("po",), ("status", "log", "eviction", "exec"), True)
SERVICE = Kind("", "v1", "Service", "services", True, ("svc",), ("status",))
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", True, ("ep",))
SECRET = Kind("", "v1", "Secret", "secrets")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", True, ("cm",))
EVENT = Kind("", "v1", "Event", "events", True, ("ev",))
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", True, ("sa",))
RESOURCE_QUOTA = Kind("", "v1", "ResourceQuota", "resourcequotas", True, ("quota",), ("status",))
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments", True, ("deploy",), ("status", "scale"), True)
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets", True, ("rs",), ("status", "scale"), True)
HPA = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True, ("hpa",), ("status",))
PDB = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True, ("pdb",), ("status",), True)
INGRESS = Kind("networking.k8s.io", "v1", "Ingress", "ingresses", True, ("ing",), ("status",), True)
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", True, ("netpol",), (), True)
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True, (), (), True)
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False)
CLUSTER_ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False)

KINDS: tuple[Kind, ...] = (
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    ENDPOINTS,
    SECRET,
    CONFIG_MAP,
    EVENT,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    DEPLOYMENT,
    REPLICA_SET,
    HPA,
    PDB,
    INGRESS,
    NETWORK_POLICY,
    ENDPOINT_SLICE,
    LEASE,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
)
BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
BY_PLURAL = {kind.plural: kind for kind in KINDS}
BY_TYPE = {(kind.api_version, kind.kind): kind for kind in KINDS}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def timestamp(moment: datetime.datetime | None = None) -> str:
    """RFC 3339 in whole seconds, as metav1.Time."""
    return (moment or now()).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(moment: datetime.datetime | None = None) -> str:
    """RFC 3339 with microseconds, as metav1.MicroTime."""
    return (moment or now()).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def random_suffix(length: int = 5) -> str:
    return "".join(random.choices(SAFE, k=length))


def clone(obj: Obj) -> Obj:
    """A deep copy: objects in the store are shared and never changed in place."""
    return copy.deepcopy(obj)


def key_of(obj: Obj) -> tuple[str, str]:
    """(namespace or "", name)."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference that manages the object."""
    for reference in obj["metadata"].get("ownerReferences", []):
        if reference.get("controller"):
            return dict(reference)
    return None


def owner_reference(kind: Kind, owner: Obj) -> Obj:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(obj: Obj, name: str) -> Obj | None:
    """The condition of that type in the object's status."""
    for found in obj.get("status", {}).get("conditions", []):
        if found["type"] == name:
            return dict(found)
    return None


def is_true(obj: Obj, name: str) -> bool:
    found = condition(obj, name)
    return found is not None and found["status"] == "True"


def scaled(value: int | str, total: int, *, round_up: bool) -> int:
    """An absolute number or a percentage of ``total``."""
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%"))
    return -(-percent * total // 100) if round_up else percent * total // 100
