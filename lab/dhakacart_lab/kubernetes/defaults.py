# SPDX-License-Identifier: GPL-3.0-or-later
"""The defaults the API server fills in, for the fields that the lab and its readers use. They change ``obj``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from .errors import bad_request
from .kinds import DEPLOYMENT, HPA, NAMESPACE, PDB, POD, REPLICA_SET, SECRET, SERVICE, Kind, Obj

# Counts that a status has from the beginning; clients refuse an object without them.
EMPTY_STATUS: dict[Kind, Obj] = {
    REPLICA_SET: {"replicas": 0},
    HPA: {"desiredReplicas": 0, "currentMetrics": None},
    PDB: {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
}


def apply(kind: Kind, obj: Obj) -> None:
    """Fill in what the author of ``obj`` left out."""
    if kind.has_spec:
        obj.setdefault("spec", {})
    if kind.has_status:
        obj.setdefault("status", dict(EMPTY_STATUS.get(kind, {})))
    if kind == SECRET:
        _secret(obj)
    elif kind == NAMESPACE:
        labels = obj["metadata"].setdefault("labels", {})
        labels.setdefault("kubernetes.io/metadata.name", obj["metadata"]["name"])
        obj["spec"].setdefault("finalizers", ["kubernetes"])
    elif isinstance(obj.get("spec"), dict) and kind in BY_SPEC:
        BY_SPEC[kind](obj["spec"])


def _bare_pod(spec: Obj) -> None:
    _pod(spec)
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])


def _replica_set(spec: Obj) -> None:
    spec.setdefault("replicas", 1)
    template = spec.get("template")
    if isinstance(template, dict):
        template.setdefault("metadata", {}).setdefault("creationTimestamp", None)
        if isinstance(template.get("spec"), dict):
            _pod(template["spec"])


def _hpa(spec: Obj) -> None:
    spec.setdefault("minReplicas", 1)


def _secret(obj: Obj) -> None:
    obj.setdefault("type", "Opaque")
    data = obj.setdefault("data", {}) if obj.get("stringData") else obj.get("data") or {}
    for key, value in (obj.pop("stringData", None) or {}).items():
        data[key] = base64.b64encode(str(value).encode()).decode()
    for key, value in data.items():
        try:
            base64.b64decode(value or "", validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise bad_request(
                f'Secret in version "v1" cannot be handled as a Secret: illegal base64 data in data.{key}'
            ) from None


def _deployment(spec: Obj) -> None:
    _replica_set(spec)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _service(spec: Obj) -> None:
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


def _pod(spec: Obj) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in (spec.get("containers") or []) + (spec.get("initContainers") or []):
        _container(container)
    for volume in spec.get("volumes") or []:
        for source in ("secret", "configMap"):
            if isinstance(volume.get(source), dict):
                volume[source].setdefault("defaultMode", 420)


def _container(container: Obj) -> None:
    image = str(container.get("image") or "")
    tag = image.rsplit(":", 1)[1] if ":" in image.rsplit("/", 1)[-1] else "latest"
    container.setdefault("imagePullPolicy", "Always" if tag == "latest" else "IfNotPresent")
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or []:
        if field := (variable.get("valueFrom") or {}).get("fieldRef"):
            field.setdefault("apiVersion", "v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe := container.get(name):
            probe.setdefault("timeoutSeconds", 1)
            probe.setdefault("periodSeconds", 10)
            probe.setdefault("successThreshold", 1)
            probe.setdefault("failureThreshold", 3)
            if http := probe.get("httpGet"):
                http.setdefault("path", "/")
                http.setdefault("scheme", "HTTP")


BY_SPEC: dict[Kind, Callable[[Obj], None]] = {
    POD: _bare_pod,
    DEPLOYMENT: _deployment,
    REPLICA_SET: _replica_set,
    SERVICE: _service,
    HPA: _hpa,
}
