# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .errors import bad_request
from .kinds import EVENT, NAMESPACE, NODE, POD, SECRET, SERVICE, Kind, Obj
from .label_selectors import label_predicate as label_predicate

Predicate = Callable[[Obj], bool]

EQUALITY = re.compile(r"^\s*([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)\s*$")

FIELDS: dict[Kind, frozenset[str]] = {
    POD: frozenset(
        {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase"}
        | {"status.podIP", "status.podIPs", "status.nominatedNodeName", "spec.hostNetwork"}
    ),
    SECRET: frozenset({"type"}),
    SERVICE: frozenset({"spec.clusterIP", "spec.type"}),
    NAMESPACE: frozenset({"status.phase"}),
    NODE: frozenset({"spec.unschedulable"}),
    EVENT: frozenset(
        {f"involvedObject.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion")}
        | {"involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"}
    ),
}


def split_requirements(text: str) -> list[str]:
    """Split on the commas that stand outside parentheses."""
    return [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def matches(selector: Mapping[str, object] | None, labels: Mapping[str, str] | None) -> bool:
    """A LabelSelector object (matchLabels, matchExpressions) against labels. An empty selector matches all."""
    labels = labels or {}
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    assert isinstance(wanted, dict)
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    expressions = selector.get("matchExpressions") or []
    assert isinstance(expressions, list)
    return all(_expression(expression, labels) for expression in expressions)


def _expression(expression: Obj, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise bad_request(f'"{other}" is not a valid label selector operator')


def as_text(selector: Mapping[str, object]) -> str:
    """The query form of a LabelSelector, which ``scale`` reports."""
    wanted, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    assert isinstance(wanted, dict)
    assert isinstance(expressions, list)
    parts = [(key, f"{key}={value}") for key, value in wanted.items()]
    for found in expressions:
        key, listed = found["key"], ",".join(sorted(found.get("values") or []))
        text = {
            "In": f"{key} in ({listed})",
            "NotIn": f"{key} notin ({listed})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }[found["operator"]]
        parts.append((key, text))
    return ",".join(text for _, text in sorted(parts))


def field_predicate(kind: Kind, text: str) -> Predicate:
    """The test a ``fieldSelector`` stands for; ApiError 400 for a field that the kind does not index."""
    tests: list[tuple[str, bool, str]] = []
    for part in split_requirements(text):
        found = EQUALITY.match(part)
        if not found:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        field, operator, value = found.groups()
        if field not in ("metadata.name", "metadata.namespace") and field not in FIELDS.get(kind, frozenset()):
            # real: the message of the generic registry, word for word.
            raise bad_request(
                f"field label not supported: {field}"
                if kind in FIELDS
                else f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            )
        tests.append((field, operator == "!=", value))
    return lambda obj: all((_field(obj, field) == value) != negated for field, negated, value in tests)


def _field(obj: Obj, path: str) -> str:
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    value: object = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(value)
