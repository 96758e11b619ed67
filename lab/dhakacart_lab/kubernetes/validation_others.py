# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused of the kinds that have few rules."""

from __future__ import annotations

import re
from collections.abc import Callable

from .kinds import CONFIG_MAP, EVENT, INGRESS, LEASE, ROLE_BINDING, SECRET, Kind, Obj
from .validation_metadata import Problems, wrong
from .validation_pods import choice, required

CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
LARGEST = 1024 * 1024  # bytes that a ConfigMap or a Secret may hold
CONFIG_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or"
    " 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
SECRET_KEYS = {"kubernetes.io/tls": ("tls.crt", "tls.key")}
IMMUTABLE = "Forbidden: field is immutable when `immutable` is set"


def _keys(obj: Obj, previous: Obj | None) -> Problems:
    """ConfigMaps and Secrets."""
    problems: Problems = []
    if previous and previous.get("immutable"):
        for field in ("immutable", "data", "binaryData"):
            if obj.get(field) != previous.get(field):
                problems.append((field, "FieldValueForbidden", IMMUTABLE))
    held = [item for field in ("data", "binaryData") for item in (obj.get(field) or {}).values()]
    encoded = obj.get("kind") == "Secret"
    if sum(len(item) * 3 // 4 if encoded else len(item.encode()) for item in held) > LARGEST:
        field = "data" if encoded else "[]"
        problems.append((field, "FieldValueTooLong", f"Too long: may not be more than {LARGEST} bytes"))
    for field in ("data", "binaryData"):
        for key in obj.get(field) or {}:
            if not CONFIG_KEY.fullmatch(key):
                problems.append(wrong(f"{field}[{key}]", key, CONFIG_KEY_RULE))
    return problems


def _secret(obj: Obj, previous: Obj | None) -> Problems:
    problems: Problems = []
    if previous and obj.get("type") != previous.get("type"):
        problems.append(wrong("type", obj.get("type"), "field is immutable"))
    problems += _keys(obj, previous)
    data = obj.get("data") or {}
    if obj.get("type") == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        problems += [required("data[username]"), required("data[password]")]
    problems += [required(f"data[{key}]") for key in SECRET_KEYS.get(obj.get("type", ""), ()) if key not in data]
    return problems


def _lease(obj: Obj, _: Obj | None) -> Problems:
    spec = obj.get("spec") or {}
    problems: Problems = []
    if spec.get("leaseDurationSeconds", 1) < 1:
        problems.append(wrong("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"))
    if spec.get("leaseTransitions", 0) < 0:
        text = "must be greater than or equal to 0"
        problems.append(wrong("spec.leaseTransitions", spec["leaseTransitions"], text))
    return problems


def _event(obj: Obj, previous: Obj | None) -> Problems:
    about, namespace = obj.get("involvedObject") or {}, obj["metadata"].get("namespace", "")
    other = about.get("namespace", "")
    if other != namespace and not (not other and namespace == "default"):
        return [wrong("involvedObject.namespace", other, "does not match event.namespace")]
    if obj.get("eventTime") is None or previous:
        return []
    problems: Problems = []
    if not obj.get("reportingComponent"):
        text = "name part must be non-empty"
        problems += [required("reportingComponent"), wrong("reportingComponent", "", text)]
        problems.append(wrong("reportingComponent", "", _KEY_RULE))
    problems += [required(field) for field in ("reportingInstance", "action", "reason") if not obj.get(field)]
    return problems + choice("type", obj.get("type"), ("Normal", "Warning"))


def _ingress(obj: Obj, _: Obj | None) -> Problems:
    spec = obj.get("spec") or {}
    if not spec.get("rules") and not spec.get("defaultBackend"):
        return [wrong("spec", None, "either `defaultBackend` or `rules` must be specified")]
    problems: Problems = []
    for number, rule in enumerate(spec.get("rules") or []):
        for index, path in enumerate((rule.get("http") or {}).get("paths") or []):
            if not path.get("pathType"):
                where = f"spec.rules[{number}].http.paths[{index}].pathType"
                problems.append(required(where, "pathType must be specified"))
    return problems


def _role_binding(obj: Obj, previous: Obj | None) -> Problems:
    problems: Problems = []
    for index, subject in enumerate(obj.get("subjects") or []):
        allowed = ("ServiceAccount", "User", "Group")
        problems += choice(f"subjects[{index}].kind", subject.get("kind", ""), allowed)
    if previous and obj.get("roleRef") != previous.get("roleRef"):
        given = obj.get("roleRef") or {}
        shown = {"APIGroup": given.get("apiGroup"), "Kind": given.get("kind"), "Name": given.get("name")}
        problems.append(wrong("roleRef", shown, "cannot change roleRef"))
    return problems


_KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
OTHERS: dict[Kind, Callable[[Obj, Obj | None], Problems]] = {
    CONFIG_MAP: _keys,
    SECRET: _secret,
    LEASE: _lease,
    EVENT: _event,
    INGRESS: _ingress,
    ROLE_BINDING: _role_binding,
}
