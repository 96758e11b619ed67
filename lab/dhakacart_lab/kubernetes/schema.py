# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the API as a real server publishes them: which fields there are, of which type, and how lists merge.

``schema.json`` is drawn from the OpenAPI document of Kubernetes v1.36.3 (Apache License 2.0). A type is a string such
as ``int32`` or ``@PodSpec``, ``{"map": type}`` or ``{"list": type}`` with the keys by which the list merges.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .kinds import Kind, Obj

Spec = Any  # as described above
GO_TYPES: dict[str, str] = {"int32": "int32", "int64": "int64", "bool": "bool", "string": "string", "number": "float64"}
SCALARS = {"int32": int, "int64": int, "bool": bool, "string": str}
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
MICRO_TIME = re.compile(DATE_TIME.pattern + r"\.\d{6}(Z|[+-]\d\d:\d\d)")
QUANTITY = re.compile(r"[+-]?[0-9.]+([eEinumkKMGTP]*[-+]?[0-9]*)")
OWN_NAMES = {("events.k8s.io", "Event"): "events.v1.Event", ("", "Event"): "Event"}


@cache
def types() -> dict[str, Obj]:
    found: dict[str, Obj] = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))["types"]
    return found


def root(kind: Kind) -> Spec:
    """The type of a kind's objects."""
    return "@" + OWN_NAMES.get((kind.group, kind.kind), kind.kind)


def struct(spec: Spec) -> Obj | None:
    """The type that a reference names; None for any other type."""
    return types()[spec[1:]] if isinstance(spec, str) and spec.startswith("@") else None


def field_of(spec: Spec, name: str) -> Spec:
    """The type of a field or map entry, None where the type has none of that name."""
    if isinstance(spec, dict) and "map" in spec:
        return spec["map"]
    found = struct(spec)
    return found["fields"].get(name) if found else None


class WrongType(Exception):
    """A value that a field cannot take, in the words of Go's JSON decoder."""


@dataclass
class Decoded:
    """What a body says in the terms of its type."""

    obj: Any = None
    unknown: list[str] = field(default_factory=list)


def decode(spec: Spec, body: Any) -> Decoded:
    """The body without unknown fields, nulls and empty lists and maps; WrongType where a value is of another type."""
    found = Decoded()
    found.obj = _decode(spec, body, "", "", "", found)
    return found


def _decode(spec: Spec, value: Any, path: str, go_path: str, owner: str, found: Decoded) -> Any:
    if value is None or spec == "any":
        return value
    if isinstance(spec, dict):
        inner = spec.get("list") or spec.get("map")
        if "list" in spec:
            _expect(isinstance(value, list), value, owner, go_path, _go(spec))
            return [_decode(inner, item, f"{path}[{i}]", go_path, owner, found) for i, item in enumerate(value)]
        _expect(isinstance(value, dict), value, owner, go_path, _go(spec))
        return {key: _decode(inner, item, f"{path}.{key}", go_path, owner, found) for key, item in value.items()}
    declared = struct(spec)
    if declared is None:
        wanted = SCALARS.get(spec)
        fits = wanted is None or (isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)))
        _expect(fits, value, owner, go_path, _go(spec))
        return CANONICAL[spec](value) if spec in CANONICAL else value
    _expect(isinstance(value, dict), value, owner, go_path, _go(spec))
    return _decode_struct(spec[1:].split(".")[-1], declared, value, path, go_path, found)


def _decode_struct(name: str, declared: Obj, value: Obj, path: str, go_path: str, found: Decoded) -> Obj:
    result, required = {}, declared.get("required", ())
    for key, item in value.items():
        here = f"{path}.{key}" if path else key
        inner = declared["fields"].get(key)
        if inner is None:
            found.unknown.append(here)
            continue
        decoded = _decode(inner, item, here, f"{go_path}.{key}" if go_path else key, name, found)
        empty = decoded is None or (isinstance(inner, dict) and not decoded)
        if not empty or (key in required and decoded is not None):
            result[key] = decoded
    return result


def _expect(fits: bool, value: Any, owner: str, path: str, wanted: str) -> None:
    if fits:
        return
    what = f"number {value}" if isinstance(value, float) and wanted.startswith("int") else json_type(value)
    raise WrongType(f"json: cannot unmarshal {what} into Go struct field {owner}.{path} of type {wanted}")


def json_type(value: Any) -> str:
    """The name that Go's decoder has for the type of a JSON value."""
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "number", float: "number", list: "array"}.get(type(value), "object")


def _go(spec: Spec) -> str:
    if isinstance(spec, dict):
        return f"[]{_go(spec['list'])}" if "list" in spec else f"map[string]{_go(spec['map'])}"
    name = str(spec)
    return f"v1.{name[1:].split('.')[-1]}" if name.startswith("@") else GO_TYPES.get(name, name)


def _micro_time(value: Any) -> str:
    """A MicroTime has six digits of a second, no more and no fewer; it is kept in UTC."""
    found = MICRO_TIME.fullmatch(str(value))
    if found:
        moment = datetime.datetime.fromisoformat(str(value)).astimezone(datetime.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if not (begun := DATE_TIME.match(str(value))):
        left, wanted = str(value), "2006"
    else:
        rest = str(value)[begun.end() :]
        enough = re.match(r"\.\d{6}", rest)
        left, wanted = (rest[enough.end() :], "Z07:00") if enough else (rest, ".000000")
    layout = "2006-01-02T15:04:05.000000Z07:00"
    raise WrongType(f'parsing time "{value}" as "{layout}": cannot parse "{left}" as "{wanted}"')


def _quantity(value: Any) -> Any:
    """A quantity as the server writes it back: whole thousandths where it is a decimal fraction."""
    text = str(value)
    if not QUANTITY.fullmatch(text):
        rule = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        raise WrongType(f"quantities must match the regular expression {rule}")
    try:
        number = float(text)
    except ValueError:
        if not (text.endswith("m") and text[:-1].isdigit() and int(text[:-1]) % 1000 == 0):
            return value
        number = int(text[:-1]) / 1000
    if number == int(number):
        return str(int(number))
    thousandths = number * 1000
    return f"{round(thousandths)}m" if abs(thousandths - round(thousandths)) < 1e-6 else text


CANONICAL: dict[str, Callable[[Any], Any]] = {"quantity": _quantity, "microtime": _micro_time}
