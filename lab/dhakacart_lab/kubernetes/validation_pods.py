# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused of a pod, or of the template of one."""

from __future__ import annotations

from typing import Any

from .kinds import Obj
from .quantities import quantity
from .validation_metadata import LABEL, LABEL_RULE, Problems, wrong

PORT = "must be between 1 and 65535, inclusive"
FIELDS = ("metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations",
          "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP",
          "status.podIPs")  # fmt: skip
CHOICES = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
}
FORBIDDEN = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing"
    " tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def required(field: str, why: str = "") -> tuple[str, str, str]:
    return field, "FieldValueRequired", f"Required value: {why}" if why else "Required value"


def choice(field: str, value: str | None, allowed: tuple[str, ...]) -> Problems:
    if value is None or value in allowed:
        return []
    listed = ", ".join(f'"{item}"' for item in allowed)
    return [(field, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}')]


def pod(spec: Obj, path: str) -> Problems:
    problems: Problems = []
    volumes: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or []):
        if volume.get("name") in volumes:
            field = f"{path}.volumes[{index}].name"
            problems.append((field, "FieldValueDuplicate", f'Duplicate value: "{volume["name"]}"'))
        volumes.add(volume.get("name", ""))
    if not spec.get("containers"):
        problems.append(required(f"{path}.containers"))
    seen: set[str] = set()
    for index, container in enumerate(spec.get("containers") or []):
        problems += _container(container, f"{path}.containers[{index}]", seen, volumes)
    for name, allowed in CHOICES.items():
        problems += choice(f"{path}.{name}", spec.get(name), allowed)
    for index, toleration in enumerate(spec.get("tolerations") or []):
        field = f"{path}.tolerations[{index}].operator"
        problems += choice(field, toleration.get("operator") or None, ("Equal", "Exists"))
    if (deadline := spec.get("activeDeadlineSeconds")) is not None and deadline < 1:
        problems.append(wrong(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"))
    return problems


def _container(container: Obj, field: str, seen: set[str], volumes: set[str]) -> Problems:
    problems: Problems = []
    name = container.get("name")
    if not name:
        problems.append(required(f"{field}.name"))
    elif not LABEL.fullmatch(name):
        problems.append(wrong(f"{field}.name", name, LABEL_RULE))
    elif name in seen:
        problems.append((f"{field}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"'))
    seen.add(name or "")
    if not container.get("image"):
        problems.append(required(f"{field}.image"))
    for index, port in enumerate(container.get("ports") or []):
        number = port.get("containerPort", 0)
        if not 1 <= number <= 65535:
            problems.append(wrong(f"{field}.ports[{index}].containerPort", number, PORT))
        problems += choice(f"{field}.ports[{index}].protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))
    for index, variable in enumerate(container.get("env") or []):
        problems += _variable(variable, f"{field}.env[{index}]")
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            where = f"{field}.volumeMounts[{index}].name"
            problems.append((where, "FieldValueNotFound", f'Not found: "{mount.get("name", "")}"'))
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            problems += _probe(container[probe] or {}, f"{field}.{probe}")
    policies = ("Always", "IfNotPresent", "Never")
    problems += choice(f"{field}.imagePullPolicy", container.get("imagePullPolicy"), policies)
    return problems + _resources(container.get("resources") or {}, f"{field}.resources")


def _variable(variable: Obj, field: str) -> Problems:
    if not variable.get("name"):
        return [required(f"{field}.name")]
    source = variable.get("valueFrom")
    if source and variable.get("value"):
        return [wrong(f"{field}.valueFrom", "", "may not be specified when `value` is not empty")]
    path = ((source or {}).get("fieldRef") or {}).get("fieldPath")
    if path and path.split("[")[0] not in FIELDS:
        where = f"{field}.valueFrom.fieldRef.fieldPath"
        return [wrong(where, path, f"error converting fieldPath: field label not supported: {path}")]
    return []


def _probe(probe: Obj, field: str) -> Problems:
    if not any(probe.get(handler) for handler in ("exec", "httpGet", "tcpSocket", "grpc")):
        return [required(field, "must specify a handler type")]
    for handler in ("httpGet", "tcpSocket"):
        port = (probe.get(handler) or {}).get("port", 1)
        if isinstance(port, int) and not 1 <= port <= 65535:
            return [wrong(f"{field}.{handler}.port", port, PORT)]
    return []


def _resources(resources: Obj, field: str) -> Problems:
    problems: Problems = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if quantity(amount) < 0:
                where = f"{field}.{part}[{name}]"
                problems.append(wrong(where, amount, "must be greater than or equal to 0"))
    for name, amount in requests.items():
        if name in limits and quantity(amount) > quantity(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            problems.append(wrong(f"{field}.requests", amount, text))
    return problems


def pod_update(spec: Obj, previous: Obj) -> Problems:
    """The few fields of a pod that may change."""

    def fixed(found: Obj) -> dict[str, Any]:
        free = ("tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds", "nodeName")
        kept = {key: value for key, value in found.items() if key not in free}
        for field in ("containers", "initContainers"):
            kept[field] = [{**container, "image": ""} for container in found.get(field) or []]
        return kept

    if len(spec.get("containers") or []) != len(previous["containers"]):
        return [("spec.containers", "FieldValueForbidden", "Forbidden: pod updates may not add or remove containers")]
    if fixed(spec) != fixed(previous):
        return [("spec", "FieldValueForbidden", FORBIDDEN)]
    return []
