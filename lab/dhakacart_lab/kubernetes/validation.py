# SPDX-License-Identifier: GPL-3.0-or-later
"""The refusals an operator meets in practice: 422 Invalid with field and cause, 400 for a value of the wrong type."""

from __future__ import annotations

import re
from typing import Any

from . import selectors
from .errors import ApiError, bad_request, invalid
from .kinds import DEPLOYMENT, HPA, PDB, POD, REPLICA_SET, SERVICE, Kind, Obj, scaled

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
Problems = list[tuple[str, str, str]]
COUNTS = {"spec.replicas", "spec.minReplicas", "spec.maxReplicas", "spec.minReadySeconds", "spec.revisionHistoryLimit"}


def check(kind: Kind, obj: Obj, previous: Obj | None = None) -> None:
    """Raise ApiError where the API server would refuse to create ``obj``, or to update ``previous`` to it."""
    name = str(obj["metadata"].get("name", ""))
    _check_types(kind, obj)
    problems: Problems = []
    if previous is None and (len(name) > 253 or not NAME.fullmatch(name)) and not kind.group.startswith("rbac"):
        problems.append(("metadata.name", "FieldValueInvalid", f'Invalid value: "{name}": {NAME_RULE}'))
    spec: Obj = obj.get("spec") or {}
    if kind in (DEPLOYMENT, REPLICA_SET):
        problems += _workload(spec, (previous or {}).get("spec"))
    if kind == DEPLOYMENT:
        problems += _strategy(spec)
    elif kind == POD:
        problems += _pod(spec, "spec")
        if previous:
            problems += _pod_update(spec, previous["spec"])
    elif kind == SERVICE:
        problems += _service(spec)
    elif kind == HPA:
        problems += _hpa(spec)
    elif kind == PDB and "minAvailable" in spec and "maxUnavailable" in spec:
        problems.append(
            ("spec", "FieldValueInvalid", "Invalid value: minAvailable and maxUnavailable cannot be both set")
        )
    if problems:
        raise invalid(kind, name, problems)


def _check_types(kind: Kind, obj: Obj) -> None:
    meta = obj["metadata"]
    for field in ("labels", "annotations"):
        for key, value in (meta.get(field) or {}).items():
            if not isinstance(value, str):
                raise bad_request(
                    f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: json: cannot'
                    f" unmarshal {_json_type(value)} into Go struct field ObjectMeta.metadata.{field} of type string"
                    f" ({key})"
                )
    spec = obj.get("spec")
    if spec is not None and not isinstance(spec, dict):
        raise bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: spec')
    for path in COUNTS:
        value = (spec or {}).get(path.split(".")[1])
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise bad_request(
                f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: json: cannot unmarshal'
                f" {_json_type(value)} into Go struct field {kind.kind}Spec.{path} of type int32"
            )


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "number", float: "number", list: "array"}.get(type(value), "object")


def _required(field: str, why: str = "") -> tuple[str, str, str]:
    return field, "FieldValueRequired", f"Required value: {why}" if why else "Required value"


def _workload(spec: Obj, previous: Obj | None) -> Problems:
    problems: Problems = []
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if not selector:
        problems.append(_required("spec.selector"))
    elif previous is not None and selector != previous.get("selector"):
        problems.append(
            ("spec.selector", "FieldValueInvalid", f"Invalid value: {selectors.as_text(selector)}: field is immutable")
        )
    if selector and not selectors.matches(selector, labels):
        text = f"Invalid value: {labels or {}}: `selector` does not match template `labels`"
        problems.append(("spec.template.metadata.labels", "FieldValueInvalid", text))
    if spec.get("replicas", 0) < 0:
        text = f"Invalid value: {spec['replicas']}: must be greater than or equal to 0"
        problems.append(("spec.replicas", "FieldValueInvalid", text))
    pod = template.get("spec") or {}
    problems += _pod(pod, "spec.template.spec")
    if pod.get("restartPolicy", "Always") != "Always":
        text = f'Unsupported value: "{pod["restartPolicy"]}": supported values: "Always"'
        problems.append(("spec.template.spec.restartPolicy", "FieldValueNotSupported", text))
    return problems


def _strategy(spec: Obj) -> Problems:
    strategy = spec.get("strategy") or {}
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    field = "spec.strategy.rollingUpdate"
    if kind not in ("RollingUpdate", "Recreate"):
        text = f'Unsupported value: "{kind}": supported values: "Recreate", "RollingUpdate"'
        return [("spec.strategy.type", "FieldValueNotSupported", text)]
    if kind == "Recreate":
        text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        return [(field, "FieldValueForbidden", text)] if rolling else []
    problems: Problems = []
    for name in ("maxSurge", "maxUnavailable"):
        value = (rolling or {}).get(name, "25%")
        if not (isinstance(value, int) and value >= 0) and not re.fullmatch(r"[0-9]+%", str(value)):
            text = (
                f"Invalid value: \"{value}\": a valid percent string must be a numeric string followed by an ending '%'"
            )
            problems.append((f"{field}.{name}", "FieldValueInvalid", text))
    if not problems and not any(scaled((rolling or {}).get(n, "25%"), 100, round_up=True) for n in _ROLLING):
        text = "Invalid value: 0: may not be 0 when `maxSurge` is 0"
        problems.append((f"{field}.maxUnavailable", "FieldValueInvalid", text))
    return problems


_ROLLING = ("maxSurge", "maxUnavailable")


def _pod(spec: Obj, path: str) -> Problems:
    problems: Problems = []
    containers = spec.get("containers")
    if not containers:
        return [_required(f"{path}.containers")]
    seen: set[str] = set()
    for index, container in enumerate(containers):
        field = f"{path}.containers[{index}]"
        name = container.get("name")
        if not name:
            problems.append(_required(f"{field}.name"))
        elif name in seen:
            problems.append((f"{field}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"'))
        seen.add(name or "")
        if not container.get("image"):
            problems.append(_required(f"{field}.image"))
        for probe_name in ("livenessProbe", "readinessProbe", "startupProbe"):
            probe = container.get(probe_name)
            if probe and not any(probe.get(handler) for handler in ("exec", "httpGet", "tcpSocket", "grpc")):
                problems.append(_required(f"{field}.{probe_name}", "must specify a handler type"))
    return problems


def _pod_update(spec: Obj, previous: Obj) -> Problems:
    def fixed(pod: Obj) -> Obj:
        free = ("tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds", "nodeName")
        kept = {key: value for key, value in pod.items() if key not in free}
        for field in ("containers", "initContainers"):
            kept[field] = [{**container, "image": ""} for container in pod.get(field) or []]
        return kept

    if fixed(spec) != fixed(previous):
        text = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing"
            " tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        )
        return [("spec", "FieldValueForbidden", text)]
    return []


def _service(spec: Obj) -> Problems:
    problems: Problems = []
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        problems.append(_required("spec.ports"))
    for index, port in enumerate(ports):
        if not isinstance(port.get("port"), int) or not 1 <= port["port"] <= 65535:
            text = f"Invalid value: {port.get('port')}: must be between 1 and 65535, inclusive"
            problems.append((f"spec.ports[{index}].port", "FieldValueInvalid", text))
        if len(ports) > 1 and not port.get("name"):
            problems.append(_required(f"spec.ports[{index}].name"))
    return problems


def _hpa(spec: Obj) -> Problems:
    problems: Problems = []
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if not isinstance(most, int) or most < 1:
        text = f"Invalid value: {most or 0}: must be greater than 0"
        problems.append(("spec.maxReplicas", "FieldValueInvalid", text))
    elif most < least:
        text = f"Invalid value: {most}: must be greater than or equal to `minReplicas`"
        problems.append(("spec.maxReplicas", "FieldValueInvalid", text))
    if least < 1:
        text = f"Invalid value: {least}: must be greater than or equal to 1"
        problems.append(("spec.minReplicas", "FieldValueInvalid", text))
    if not spec.get("scaleTargetRef"):
        problems.append(_required("spec.scaleTargetRef.kind"))
    return problems


def check_type(kind: Kind, obj: Any) -> Obj:
    """The body of a request as an object of that kind; 400 where it is another one or none."""
    if not isinstance(obj, dict):
        raise bad_request("the request body is not a JSON object")
    api_version, name = obj.get("apiVersion", kind.api_version), obj.get("kind", kind.kind)
    if (api_version, name) != (kind.api_version, kind.kind):
        raise ApiError(
            400,
            "BadRequest",
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: the object provided is'
            f" unrecognized or of the wrong kind: {api_version}, Kind={name}",
        )
    obj["apiVersion"], obj["kind"] = kind.api_version, kind.kind
    if not isinstance(obj.setdefault("metadata", {}), dict):
        raise bad_request("metadata is not a JSON object")
    return obj
