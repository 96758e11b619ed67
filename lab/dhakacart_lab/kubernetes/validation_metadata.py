# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused of any object's metadata: names, labels, finalizers, owners."""

from __future__ import annotations

import json
import re
from typing import Any

from .kinds import NAMESPACE, SERVICE, Kind, Obj

Problems = list[tuple[str, str, str]]
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
KEY = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    " an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
QUALIFIED_RULE = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g."
    " 'example.com/MyName')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def go_json(value: Any) -> str:
    """A value as messages show it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def wrong(field: str, value: Any, why: str) -> tuple[str, str, str]:
    return field, "FieldValueInvalid", f"Invalid value: {go_json(value)}: {why}"


def metadata(kind: Kind, obj: Obj, previous: Obj | None) -> Problems:
    meta = obj["metadata"]
    problems: Problems = []
    if previous is None:
        problems += _name(kind, str(meta.get("name", "")))
    for key, value in (meta.get("labels") or {}).items():
        problems += key_problems("metadata.labels", key)
        if len(value) > 63 or (value and not KEY.fullmatch(value)):
            problems.append(wrong("metadata.labels", value, VALUE_RULE))
    for key in meta.get("annotations") or {}:
        problems += key_problems("metadata.annotations", key.lower())
    for index, finalizer in enumerate(meta.get("finalizers") or []):
        if "/" not in finalizer and finalizer not in ("orphan", "foregroundDeletion", "kubernetes"):
            text = "name is neither a standard finalizer name nor is it fully qualified"
            problems.append(wrong(f"metadata.finalizers[{index}]", finalizer, text))
    return problems + _owners(meta) + (_late_finalizers(meta, previous["metadata"]) if previous else [])


def _name(kind: Kind, name: str) -> Problems:
    if kind.group.startswith("rbac"):
        return []
    strict = kind in (NAMESPACE, SERVICE)
    if strict and "." in name:
        return [wrong("metadata.name", name, "must not contain dots")]
    if len(name) > 253:
        return [wrong("metadata.name", name, "must be no more than 253 characters")]
    if strict:
        return [] if LABEL.fullmatch(name) else [wrong("metadata.name", name, LABEL_RULE)]
    return [] if NAME.fullmatch(name) else [wrong("metadata.name", name, NAME_RULE)]


def key_problems(field: str, key: str) -> Problems:
    """What is wrong with the key of a label or annotation."""
    if key.count("/") > 1:
        return [wrong(field, key, QUALIFIED_RULE)]
    return [] if KEY.fullmatch(key.rpartition("/")[2]) else [wrong(field, key, KEY_RULE)]


def _owners(meta: Obj) -> Problems:
    references = meta.get("ownerReferences") or []
    problems: Problems = []
    for reference in references:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not reference.get(field):
                problems.append(wrong(f"metadata.ownerReferences.{field}", "", "must not be empty"))
    controllers = [reference for reference in references if reference.get("controller")]
    if len(controllers) > 1:
        names = " and ".join(f"{found['kind']}/{found['name']}" for found in controllers[:2])
        text = 'Only one reference can have Controller set to true. Found "true" in references for '
        problems.append(wrong("metadata.ownerReferences", references, text + names))
    return problems


def _late_finalizers(meta: Obj, old: Obj) -> Problems:
    if "deletionTimestamp" not in old:
        return []
    new = sorted(set(meta.get("finalizers") or []) - set(old.get("finalizers") or []))
    if not new:
        return []
    listed = ", ".join(f'"{name}"' for name in new)
    text = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
    return [("metadata.finalizers", "FieldValueForbidden", f"Forbidden: {text}")] * 2  # real: found by two checks
