# SPDX-License-Identifier: GPL-3.0-or-later
"""What the admission plugins of a real server do to a new pod: tolerations, priority, the account's token."""

from __future__ import annotations

from .errors import ApiError
from .kinds import POD, SERVICE_ACCOUNT, Obj, random_suffix
from .store import Store

TOLERATION = 20  # seconds on a node that is lost; a real server's default is 300, the lab's servers are set to this
LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"


def admit_pod(store: Store, pod: Obj) -> None:
    """Change a new pod in place; ApiError 403 for an account or a priority class that does not exist."""
    spec = pod["spec"]
    _check_account(store, pod)
    class_name = spec.get("priorityClassName")
    if class_name not in (None, "", "system-node-critical", "system-cluster-critical"):
        raise _forbidden(pod, f"no PriorityClass with name {class_name} was found")
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    _tolerate(spec)
    if spec.get("automountServiceAccountToken") is not False:
        _mount_token(spec)


def _forbidden(pod: Obj, why: str) -> ApiError:
    name = pod["metadata"].get("name", "")
    return ApiError(403, "Forbidden", f'pods "{name}" is forbidden: {why}', kind=POD, name=name)


def _check_account(store: Store, pod: Obj) -> None:
    name, namespace = pod["spec"].get("serviceAccountName", "default"), pod["metadata"]["namespace"]
    if name != "default" and store.get(SERVICE_ACCOUNT, namespace, name) is None:
        raise _forbidden(pod, f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found')


def _tolerate(spec: Obj) -> None:
    present = spec.get("tolerations") or []
    for key in LOST:
        if not any(_covers(toleration, key) for toleration in present):
            taint = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION}
            present = [*present, taint]
    spec["tolerations"] = present


def _covers(toleration: Obj, key: str) -> bool:
    return toleration.get("key") in (key, None, "") and toleration.get("effect") in ("NoExecute", None, "")


def _mount_token(spec: Obj) -> None:
    mounted = [
        container
        for container in [*(spec.get("initContainers") or []), *spec.get("containers", [])]
        if isinstance(container, dict)
        and not any(mount.get("mountPath") == TOKENS for mount in container.get("volumeMounts") or [])
    ]
    if not mounted:
        return
    name = f"kube-api-access-{random_suffix()}"
    for container in mounted:
        mount = {"name": name, "readOnly": True, "mountPath": TOKENS}
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), mount]
    certificate = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": certificate},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]
    volume = {"name": name, "projected": {"sources": sources, "defaultMode": 420}}
    spec["volumes"] = [*(spec.get("volumes") or []), volume]
