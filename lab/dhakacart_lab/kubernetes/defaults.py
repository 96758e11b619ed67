# SPDX-License-Identifier: GPL-3.0-or-later
"""The defaults the API server fills in, for the fields that the lab and its readers use. They change ``obj``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from .errors import bad_request
from .kinds import (
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    HPA,
    INGRESS,
    NAMESPACE,
    NETWORK_POLICY,
    PDB,
    POD,
    REPLICA_SET,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    Kind,
    Obj,
)

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
# Counts that a status has from the beginning; clients refuse an object without them.
EMPTY_STATUS: dict[Kind, Obj] = {
    REPLICA_SET: {"replicas": 0},
    INGRESS: {"loadBalancer": {}},
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
    elif kind == EVENT:
        _event(obj)
    elif kind == ROLE_BINDING:
        for subject in obj.get("subjects") or []:
            if subject.get("kind") in ("User", "Group"):
                subject.setdefault("apiGroup", "rbac.authorization.k8s.io")
    elif kind in (ENDPOINTS, ENDPOINT_SLICE):
        _endpoints(obj)
    elif isinstance(obj.get("spec"), dict) and kind in BY_SPEC:
        BY_SPEC[kind](obj["spec"])


def conditions(kind: Kind, obj: Obj) -> None:
    """Times that a pod's conditions always carry."""
    if kind == POD:
        for found in (obj.get("status") or {}).get("conditions") or []:
            found.setdefault("lastProbeTime", None)
            found.setdefault("lastTransitionTime", None)


def _event(obj: Obj) -> None:
    for field, empty in (("eventTime", None), ("firstTimestamp", None), ("lastTimestamp", None), ("source", {})):
        obj.setdefault(field, empty)
    obj.setdefault("reportingComponent", "")
    obj.setdefault("reportingInstance", "")


def _endpoints(obj: Obj) -> None:
    for holder in obj.get("subsets") or [obj]:
        for port in holder.get("ports") or []:
            port.setdefault("protocol", "TCP")
            if holder is obj:
                port.setdefault("name", "")
    for endpoint in obj.get("endpoints") or []:
        endpoint.setdefault("conditions", {})


def _bare_pod(spec: Obj) -> None:
    _pod(spec)
    for container in (spec.get("containers") or []) + (spec.get("initContainers") or []):
        if limits := container["resources"].get("limits"):  # what is limited and not asked for is asked for in full
            container["resources"]["requests"] = {**limits, **(container["resources"].get("requests") or {})}
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])


def _replica_set(spec: Obj) -> None:
    spec.setdefault("replicas", 1)
    template = spec.get("template")
    if isinstance(template, dict):
        template.setdefault("metadata", {})
        if isinstance(template.get("spec"), dict):
            _pod(template["spec"])


def _hpa(spec: Obj) -> None:
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
        spec["metrics"] = [{"type": "Resource", "resource": cpu}]
    behavior = spec.get("behavior")
    if not isinstance(behavior, dict):
        return
    double = {"type": "Percent", "value": 100, "periodSeconds": 15}
    up = behavior.setdefault("scaleUp", {})
    up.setdefault("stabilizationWindowSeconds", 0)
    up.setdefault("policies", [{"type": "Pods", "value": 4, "periodSeconds": 15}, double])
    down = behavior.setdefault("scaleDown", {})
    down.setdefault("policies", [double])
    for rules in (up, down):
        rules.setdefault("selectPolicy", "Max")


def _network_policy(spec: Obj) -> None:
    for field in ("ingress", "egress"):
        for rule in spec.get(field) or []:
            for port in rule.get("ports") or []:
                port.setdefault("protocol", "TCP")
    spec.setdefault("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _secret(obj: Obj) -> None:
    obj.setdefault("type", "Opaque")
    data = obj.setdefault("data", {}) if obj.get("stringData") else obj.get("data") or {}
    for key, value in (obj.pop("stringData", None) or {}).items():
        data[key] = base64.b64encode(str(value).encode()).decode()
    for value in data.values():
        try:
            base64.b64decode(value or "", validate=True)
        except (binascii.Error, ValueError, TypeError):
            place = next((i for i, char in enumerate(str(value)) if char not in BASE64), len(str(value)))
            raise bad_request(
                f'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte {place}'
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
    if spec["sessionAffinity"] == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}})
    if spec["type"] != "ExternalName":
        both = spec.get("clusterIP") == "None" and not spec.get("selector")  # the endpoints are not ours to know
        spec.setdefault("internalTrafficPolicy", "Cluster")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


def _pod(spec: Obj) -> None:
    spec.setdefault("restartPolicy", "Always")
    if spec.setdefault("terminationGracePeriodSeconds", 30) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in (spec.get("containers") or []) + (spec.get("initContainers") or []):
        _container(container)
    if spec.get("hostNetwork"):
        for container in spec.get("containers") or []:
            for port in container.get("ports") or []:
                port.setdefault("hostPort", port.get("containerPort"))
    for volume in spec.get("volumes") or []:
        _volume(volume)


def _volume(volume: Obj) -> None:
    if volume.keys() == {"name"}:
        volume["emptyDir"] = {}
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if isinstance(volume.get(source), dict):
            volume[source].setdefault("defaultMode", 420)
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")
    for item in (volume.get("downwardAPI") or {}).get("items") or []:
        if field := item.get("fieldRef"):
            field.setdefault("apiVersion", "v1")


def _container(container: Obj) -> None:
    image = str(container.get("image") or "")
    tag = image.rsplit(":", 1)[1] if ":" in image.rsplit("/", 1)[-1] else "latest"
    container.setdefault("imagePullPolicy", "Always" if tag == "latest" else "IfNotPresent")
    container.setdefault("resources", {})
    for hook in (container.get("lifecycle") or {}).values():
        if http := hook.get("httpGet"):
            http.setdefault("path", "/")
            http.setdefault("scheme", "HTTP")
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
    NETWORK_POLICY: _network_policy,
}
