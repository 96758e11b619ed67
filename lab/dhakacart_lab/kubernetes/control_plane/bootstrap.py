# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new cluster needs before DhakaCart's objects: rights of the lab's accounts, and the way to metrics.k8s.io."""

from __future__ import annotations

import base64

from ...layout import Layout
from ..api import Api
from ..kinds import Obj
from ..pki import Authority
from . import credentials

APPLY = "application/apply-patch+yaml"
MANAGER = "dhakacart-lab"
RBAC = "rbac.authorization.k8s.io"
READING = ["get", "list", "watch"]
# Groups without a secret in them: whatever is in them may be read.
GROUPS = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "metrics.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
]
CORE = [
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "pods/log",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "serviceaccounts",
    "services",
    "*/status",
    "*/scale",
]
METRICS_NAMESPACE, METRICS_SERVICE = "kube-system", "metrics-server"
# What the API server expects the metrics server's certificate to be for.
METRICS_HOST = f"{METRICS_SERVICE}.{METRICS_NAMESPACE}.svc"


def objects(layout: Layout, authority: Authority) -> list[tuple[str, Obj]]:
    """URL path and object, in the order in which they are applied."""
    return [*_reader(), *_kubelet_client(), *_metrics_server(), *_metrics_api(layout, authority)]


def apply(layout: Layout, api: Api, authority: Authority) -> None:
    """Make them, or make them what they are to be, by server-side apply. ApiError where the API server refuses."""
    query = {"fieldManager": MANAGER, "force": "true"}
    for path, obj in objects(layout, authority):
        api.request("PATCH", f"{path}/{obj['metadata']['name']}", obj, query=query, content_type=APPLY)


def _rbac(kind: str, name: str, content: Obj) -> tuple[str, Obj]:
    plural = f"{kind.lower()}s"
    obj = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": name}, **content}
    return f"/apis/{RBAC}/v1/{plural}", obj


def _bound(name: str, role: str, user: str) -> tuple[str, Obj]:
    subject = {"kind": "User", "name": user, "apiGroup": RBAC}
    role_ref = {"kind": "ClusterRole", "name": role, "apiGroup": RBAC}
    return _rbac("ClusterRoleBinding", name, {"roleRef": role_ref, "subjects": [subject]})


def reader_rules() -> list[Obj]:
    """Everything but secrets, which the built-in role ``view`` leaves out too; it knows nothing of nodes and RBAC."""
    return [
        {"apiGroups": [""], "resources": CORE, "verbs": READING},
        {"apiGroups": GROUPS, "resources": ["*"], "verbs": READING},
    ]


def _reader() -> list[tuple[str, Obj]]:
    role = _rbac("ClusterRole", credentials.READER, {"rules": reader_rules()})
    return [role, _bound(credentials.READER, credentials.READER, credentials.READER)]


def _kubelet_client() -> list[tuple[str, Obj]]:
    """The API server's own account at the kubelets: one that asks whether it may is told yes."""
    return [_bound("dhakacart-lab:kubelet-api", "system:kubelet-api-admin", credentials.KUBELET_CLIENT)]


def _metrics_server() -> list[tuple[str, Obj]]:
    rules = [
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": READING},
    ]
    name, user = "system:metrics-server", credentials.METRICS_SERVER
    return [
        _rbac("ClusterRole", name, {"rules": rules}),
        _bound(name, name, user),
        _bound(f"{name}:auth-delegator", "system:auth-delegator", user),
    ]


def _metrics_api(layout: Layout, authority: Authority) -> list[tuple[str, Obj]]:
    address = layout.metrics_api
    meta = {"name": METRICS_SERVICE, "namespace": METRICS_NAMESPACE}
    # An address in text form passes as a name; the API server dials it, on the port that the APIService names.
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"type": "ExternalName", "externalName": address.host},
    }
    api_service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {**meta, "port": address.port},
            "caBundle": base64.b64encode(authority.pem.encode()).decode(),
        },
    }
    return [
        (f"/api/v1/namespaces/{METRICS_NAMESPACE}/services", service),
        ("/apis/apiregistration.k8s.io/v1/apiservices", api_service),
    ]
