# SPDX-License-Identifier: GPL-3.0-or-later
"""The refusals an operator meets in practice: 422 Invalid with field and cause, 400 for a value of the wrong type."""

from __future__ import annotations

import re
from typing import Any

from . import selectors
from .errors import bad_request, invalid
from .kinds import DEPLOYMENT, HPA, PDB, POD, REPLICA_SET, SERVICE, Kind, Obj, scaled
from .validation_metadata import go_json, key_problems, metadata
from .validation_others import OTHERS
from .validation_pods import pod, pod_update

Problems = list[tuple[str, str, str]]


def check(kind: Kind, obj: Obj, previous: Obj | None = None) -> None:
    """Raise ApiError where the API server would refuse to create ``obj``, or to update ``previous`` to it."""
    name = str(obj["metadata"].get("name", ""))
    problems = metadata(kind, obj, previous)
    spec: Obj = obj.get("spec") or {}
    before = (previous or {}).get("spec") or {}
    if kind in (DEPLOYMENT, REPLICA_SET):
        problems += _workload(kind, spec, before if previous else None)
    elif kind == POD:
        problems += pod_update(spec, before) if previous else pod(spec, "spec")
    elif kind == SERVICE:
        problems += _service(spec, before)
    elif kind == HPA:
        problems += _hpa(spec)
    elif kind == PDB:
        problems += _budget(spec)
    elif kind in OTHERS:
        problems += OTHERS[kind](obj, previous)
    if problems:
        raise invalid(kind, name, problems)


def _required(field: str, why: str = "") -> tuple[str, str, str]:
    return field, "FieldValueRequired", f"Required value: {why}" if why else "Required value"


def _workload(kind: Kind, spec: Obj, previous: Obj | None) -> Problems:
    problems: Problems = []
    for field in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        if spec.get(field, 0) < 0:
            problems.append(_invalid(f"spec.{field}", spec[field], "must be greater than or equal to 0"))
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if selector is None:
        problems.append(_required("spec.selector"))
    elif not selector:
        problems.append(_invalid("spec.selector", {}, f"empty selector is invalid for {kind.singular}"))
    if kind == DEPLOYMENT:
        problems += _strategy(spec)
    if selector != {} and (selector is None or not selectors.matches(selector, labels)):
        text = "`selector` does not match template `labels`"
        problems.append(_invalid("spec.template.metadata.labels", labels, text))
    inner = template.get("spec") or {}
    problems += pod(inner, "spec.template.spec")
    if inner.get("restartPolicy", "Always") != "Always":
        text = f'Unsupported value: "{inner["restartPolicy"]}": supported values: "Always"'
        problems.append(("spec.template.spec.restartPolicy", "FieldValueNotSupported", text))
    deadline, least = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds", 0)
    if kind == DEPLOYMENT and deadline is not None and deadline <= least:
        problems.append(_invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    if previous is not None and selector and selector != previous.get("selector"):
        problems.append(_invalid("spec.selector", selector, "field is immutable"))
    return problems


def _invalid(field: str, value: Any, why: str) -> tuple[str, str, str]:
    return field, "FieldValueInvalid", f"Invalid value: {go_json(value)}: {why}"


def _strategy(spec: Obj) -> Problems:
    strategy = spec.get("strategy") or {}
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    field = "spec.strategy.rollingUpdate"
    if kind not in ("RollingUpdate", "Recreate"):
        shown = go_json({"Type": kind, "RollingUpdate": None})
        text = f'Unsupported value: {shown}: supported values: "Recreate", "RollingUpdate"'
        return [("spec.strategy", "FieldValueNotSupported", text)]
    if kind == "Recreate":
        text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        return [(field, "FieldValueForbidden", text)] if rolling else []
    problems: Problems = []
    for name in _ROLLING:
        problems += _share(f"{field}.{name}", (rolling or {}).get(name, "25%"), limit=name == "maxUnavailable")
    if not problems and not any(scaled((rolling or {}).get(n, "25%"), 100, round_up=True) for n in _ROLLING):
        unavailable = (rolling or {}).get("maxUnavailable")
        problems.append(_invalid(f"{field}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    return problems


def _share(field: str, value: int | str, *, limit: bool = True) -> Problems:
    """A number of pods or a percentage."""
    if isinstance(value, int):
        return [_invalid(field, value, "must be greater than or equal to 0")] if value < 0 else []
    if not re.fullmatch(r"[0-9]+%", value):
        text = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex"
        return [_invalid(field, value, f"{text} used for validation is '[0-9]+%')")]
    return [_invalid(field, value, "must not be greater than 100%")] if limit and int(value[:-1]) > 100 else []


_ROLLING = ("maxSurge", "maxUnavailable")


def _service(spec: Obj, previous: Obj) -> Problems:
    problems: Problems = []
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        problems.append(_required("spec.ports"))
    seen: set[str] = set()
    for index, port in enumerate(ports):
        field = f"spec.ports[{index}]"
        name = port.get("name")
        if len(ports) > 1 and not name:
            problems.append(_required(f"{field}.name"))
        elif name and name in seen:
            problems.append((f"{field}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"'))
        seen.add(name or "")
        for key in ("port", "targetPort"):
            number = port.get(key, 0)
            if isinstance(number, int) and not 1 <= number <= 65535:
                problems.append(_invalid(f"{field}.{key}", number, "must be between 1 and 65535, inclusive"))
    for key in spec.get("selector") or {}:
        problems += key_problems("spec.selector", key)
    problems += _choice("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    problems += _choice("spec.type", spec.get("type"), ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"))
    address = spec.get("clusterIP")
    if previous.get("clusterIP") and address != previous["clusterIP"] and spec.get("type") != "ExternalName":
        problems.append(_invalid("spec.clusterIPs[0]", [address], "may not change once set"))
    elif address and address != "None" and not re.fullmatch(r"\d+(\.\d+){3}|[0-9a-f:]+", address):
        problems.append(
            _invalid("spec.clusterIPs[0]", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        )
    return problems


def _choice(field: str, value: str | None, allowed: tuple[str, ...]) -> Problems:
    if value is None or value in allowed:
        return []
    listed = ", ".join(f'"{item}"' for item in allowed)
    return [(field, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}')]


def _hpa(spec: Obj) -> Problems:
    problems: Problems = []
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        problems.append(_invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        problems.append(_required("spec.maxReplicas", "must be set and greater than 0"))
    if most < least:
        problems.append(_invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    target = spec.get("scaleTargetRef") or {}
    problems += [_required(f"spec.scaleTargetRef.{field}") for field in ("kind", "name") if not target.get(field)]
    if "/" not in target.get("apiVersion", "") and target.get("apiVersion") != "v1":
        text = "apiVersion must specify API group"
        problems.append(_invalid("spec.scaleTargetRef.apiVersion", target.get("apiVersion", ""), text))
    for index, metric in enumerate(spec.get("metrics") or []):
        problems += _metric(f"spec.metrics[{index}]", metric)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in spec.get("metrics") or []):
        text = "Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"
        problems.append(("spec.metrics", "FieldValueForbidden", text))
    return problems


def _metric(field: str, metric: Obj) -> Problems:
    if metric.get("type") != "Resource":
        return []
    if not metric.get("resource"):
        return [_required(f"{field}.resource", "must populate information for the given metric source")]
    target = metric["resource"].get("target") or {}
    if target.get("averageUtilization") is None and target.get("averageValue") is None:
        why = "must set either a target raw value or a target utilization"
        return [_required(f"{field}.resource.target.averageUtilization", why)]
    return []


def _budget(spec: Obj) -> Problems:
    problems: Problems = []
    if "minAvailable" in spec and "maxUnavailable" in spec:
        shown = {
            "MinAvailable": spec["minAvailable"],
            "Selector": spec.get("selector"),
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        problems.append(_invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
    for field in ("minAvailable", "maxUnavailable"):
        if field in spec:
            problems += _share(f"spec.{field}", spec[field])
    return problems


def check_type(kind: Kind, obj: Any) -> Obj:
    """The object with its kind and metadata; ApiError 400 where it is of another kind or none."""
    if not isinstance(obj, dict):
        raise bad_request("the request body is not a JSON object")
    api_version, name = obj.get("apiVersion", kind.api_version), obj.get("kind", kind.kind)
    if (api_version, name) != (kind.api_version, kind.kind):
        raise bad_request(f"{api_version}, Kind={name}: not a {kind.kind}")
    obj["apiVersion"], obj["kind"] = kind.api_version, kind.kind
    obj.setdefault("metadata", {})
    return obj
