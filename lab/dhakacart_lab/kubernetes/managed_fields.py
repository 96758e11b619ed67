# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns which field: the record that server-side apply judges by, kept for the requests of clients.

What the lab's own controllers and kubelets write takes fields from their owners but enters no owner: thousands of pods
would be twice their size. A set of fields is a set of paths; a step of a path is ``f:name``, ``k:{"name":"c"}`` for an
entry of a list with keys, or ``v:"x"`` for a member of a list that is a set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import schema
from .kinds import Kind, Obj, timestamp
from .schema import Spec

Path = tuple[str, ...]
Fields = frozenset[Path]
SYSTEM = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"}
SYSTEM |= {"deletionTimestamp", "deletionGracePeriodSeconds"}
ALLOCATED = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}  # by the server, after the record is made
# Fields whose Go type is a struct, not a pointer: they are there from the beginning, and nobody adds them.
ALWAYS_THERE = {"spec", "status", "metadata", "template", "strategy", "containers", "involvedObject", "scaleTargetRef"}


@dataclass(frozen=True)
class Manager:
    """Who writes: ``operation`` is Update or Apply."""

    name: str
    operation: str = "Update"
    subresource: str = ""


def key_of(spec: Spec, item: Any) -> str | None:
    """The step that names an entry of a list; None where the list has no keys or the entry lacks them."""
    if spec.get("type") == "set":
        return "v:" + json.dumps(item, separators=(",", ":"))
    keys = spec.get("keys") if spec.get("type") == "map" else None
    if not keys or not isinstance(item, dict):
        return None
    found = {key: item.get(key, "TCP" if key == "protocol" else None) for key in keys}
    return "k:" + json.dumps({key: value for key, value in sorted(found.items()) if value is not None},
                             separators=(",", ":"))  # fmt: skip


def is_atomic(spec: Spec, value: Any) -> bool:
    """Whether the value has one owner as a whole."""
    if isinstance(value, list):
        return not (isinstance(spec, dict) and spec.get("type") in ("map", "set"))
    if not isinstance(value, dict) or not value:
        return True
    if isinstance(spec, dict):
        return bool(spec.get("atomic"))
    declared = schema.struct(spec)
    return declared is None or bool(declared.get("atomic"))


def entries(spec: Spec, value: Any) -> Iterator[tuple[str, Spec, Any]]:
    """(step, type, value) of the parts of a value that is not atomic."""
    if isinstance(value, list):
        for item in value:
            yield key_of(spec, item) or "", spec["list"], item
    else:
        for key, item in value.items():
            yield f"f:{key}", schema.field_of(spec, key), item


def fields_of(spec: Spec, value: Any, path: Path = (), *, whole: bool = False) -> Iterator[Path]:
    """The paths of a value: leaves and list entries, and with ``whole`` every map, list and struct on the way."""
    listed = bool(path) and path[-1].startswith("k:")
    if is_atomic(spec, value):
        yield path
        return
    if listed or (whole and path and path[-1][2:] not in ALWAYS_THERE):
        yield path
    for step, inner, item in entries(spec, value):
        if not _ignored((*path, step)):
            yield from fields_of(inner, item, (*path, step), whole=whole)


def _ignored(path: Path) -> bool:
    if len(path) == 1:
        return path[0] in ("f:apiVersion", "f:kind")
    if len(path) == 2:
        return (path[0] == "f:metadata" and path[1][2:] in SYSTEM) or (path[0] == "f:spec" and path[1][2:] in ALLOCATED)
    return False


def changes(spec: Spec, old: Any, new: Any, path: Path = ()) -> tuple[set[Path], set[Path]]:
    """(paths that were added or have another value, paths that are gone)."""
    if old == new and type(old) is type(new):
        return set(), set()
    if type(old) is not type(new) or is_atomic(spec, old) or is_atomic(spec, new):
        before = set(fields_of(spec, old, path, whole=True)) if old is not None else set()
        after = set(fields_of(spec, new, path, whole=True))
        return after, before - after
    added: set[Path] = set()
    gone: set[Path] = set()
    before_parts = {step: (inner, item) for step, inner, item in entries(spec, old)}
    after_parts = {step: (inner, item) for step, inner, item in entries(spec, new)}
    for step, (inner, item) in after_parts.items():
        if _ignored((*path, step)):
            continue
        if step in before_parts:
            more, less = changes(inner, before_parts[step][1], item, (*path, step))
            added |= more
            gone |= less
        else:
            added |= set(fields_of(inner, item, (*path, step), whole=True))
    for step in before_parts.keys() - after_parts.keys():
        inner, item = before_parts[step]
        gone |= set(fields_of(inner, item, (*path, step), whole=True))
    return added, gone


def to_json(fields: set[Path] | Fields) -> Obj:
    """The FieldsV1 form."""
    tree: Obj = {}
    for path in sorted(fields, key=lambda found: (len(found), found)):
        here = tree
        for depth, step in enumerate(path):
            if step not in here:
                if here is not tree and path[:depth] in fields:
                    here.setdefault(".", {})
                here[step] = {}
            here = here[step]
    return tree


def from_json(tree: Obj, path: Path = ()) -> Iterator[Path]:
    if path and (not tree or "." in tree):
        yield path
    for step, inner in tree.items():
        if step != ".":
            yield from from_json(inner, (*path, step))


def record_of(obj: Obj) -> dict[Manager, tuple[Fields, Obj]]:
    """The owners by what they own and the entry as it stands."""
    found = {}
    for entry in obj["metadata"].get("managedFields") or []:
        manager = Manager(entry.get("manager", ""), entry.get("operation", "Update"), entry.get("subresource", ""))
        found[manager] = (frozenset(from_json(entry.get("fieldsV1") or {})), entry)
    return found


def write(kind: Kind, obj: Obj, record: dict[Manager, Fields], before: dict[Manager, tuple[Fields, Obj]]) -> None:
    """Put the record on the object; an entry that did not change keeps its time."""
    listed = []
    for manager, fields in record.items():
        if not fields:
            continue
        old = before.get(manager)
        if old and old[0] == fields:
            listed.append(old[1])
            continue
        entry: Obj = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": kind.api_version,
            "time": timestamp(),
            "fieldsType": "FieldsV1",
            "fieldsV1": to_json(fields),
        }
        listed.append(entry | ({"subresource": manager.subresource} if manager.subresource else {}))
    if listed:
        obj["metadata"]["managedFields"] = sorted(listed, key=lambda entry: entry["operation"])
    else:
        obj["metadata"].pop("managedFields", None)


def note(kind: Kind, old: Obj | None, new: Obj, manager: Manager | None) -> None:
    """Enter an update into the record of ``new``: what changed is its writer's, what is gone nobody's."""
    before = record_of(old) if old else {}
    if manager is None and not before:
        new["metadata"].pop("managedFields", None)
        return
    bare: Obj = {"metadata": {}, "spec": {}, "status": {}}
    changed, gone = changes(schema.root(kind), old or {key: bare[key] for key in bare if key in new}, new)
    gone -= set(fields_of(schema.root(kind), new, whole=True)) if gone else set()
    record = {
        owner: fields - gone - (frozenset() if owner == manager else changed) for owner, (fields, _) in before.items()
    }
    if manager and changed:
        record[manager] = (record.get(manager, frozenset()) | changed) - gone
    write(kind, new, record, before)
