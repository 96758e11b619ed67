# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply: an author declares the fields he wants; what he no longer declares goes, what another owns is a
conflict unless he takes it by force."""

from __future__ import annotations

import json
from typing import Any

from . import managed_fields, schema
from .errors import ApiError
from .kinds import Kind, Obj, clone
from .managed_fields import Fields, Manager, Path
from .schema import Spec


def check(kind: Kind, config: Obj) -> None:
    """ApiError where the declaration does not fit the type of the kind."""
    if problem := _misfit(schema.root(kind), config, ""):
        meta = config.get("metadata") or {}
        name = meta.get("name") if isinstance(meta.get("name"), str) else ""
        what = f"{meta.get('namespace', '')}/{name}; {kind.group + '/' if kind.group else '/'}{kind.version}"
        text = f"failed to create typed patch object ({what}, Kind={kind.kind}): {problem}"
        raise ApiError(500, "", text)


def _misfit(spec: Spec, value: Any, path: str) -> str | None:
    if value is None or spec == "any":
        return None
    if isinstance(value, dict):
        return _misfit_of_map(spec, value, path)
    if isinstance(value, list):
        if not (isinstance(spec, dict) and "list" in spec):
            return f"{path}: expected {_expected(spec)}, got list"
        seen: set[str] = set()
        for item in value:
            key = managed_fields.key_of(spec, item)
            if key and key in seen and spec.get("type") == "map":
                return f"{path}: duplicate entries for key {shown((key,))}"
            seen.add(key or "")
        return next((found for item in value if (found := _misfit(spec["list"], item, path))), None)
    wanted = schema.SCALARS.get(spec) if isinstance(spec, str) else dict
    if wanted is int and isinstance(value, str):
        return f"{path}: expected numeric (int or float), got string"
    if wanted and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        text = json.dumps(value) if isinstance(value, bool) else value
        return f"{path}: expected {_expected(spec)}, got &value.valueUnstructured{{Value:{text}}}"
    return None


def _misfit_of_map(spec: Spec, value: Obj, path: str) -> str | None:
    for key, item in value.items():
        inner = schema.field_of(spec, key)
        if inner is None:
            return f"{path}.{key}: field not declared in schema"
        if found := _misfit(inner, item, f"{path}.{key}"):
            return found
    return None


def _expected(spec: Spec) -> str:
    if isinstance(spec, dict):
        return "list" if "list" in spec else "map"
    return {"bool": "boolean"}.get(spec, "map" if spec.startswith("@") else "string")


def shown(path: Path) -> str:
    """A path as messages show it: ``.spec.containers[name="c"].image``."""
    text = ""
    for step in path:
        if step.startswith("f:"):
            text += f".{step[2:]}"
        elif step.startswith("k:"):
            keys = json.loads(step[2:])
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(keys.items())) + "]"
        else:
            text += f"[={step[2:]}]"
    return text


def merge(spec: Spec, live: Any, config: Any) -> Any:
    """What is there with what is declared over it."""
    if type(live) is not type(config) or managed_fields.is_atomic(spec, config):
        if isinstance(live, dict) and config == {} and not _is_atomic_type(spec):
            return live
        return clone(config) if isinstance(config, dict) else config
    if isinstance(config, list):
        return _merge_lists(spec, live, config)
    result = dict(live)
    for key, value in config.items():
        inner = schema.field_of(spec, key)
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(inner, live.get(key), value)
    return result


def _is_atomic_type(spec: Spec) -> bool:
    declared = schema.struct(spec) or (spec if isinstance(spec, dict) else {})
    return bool(declared.get("atomic"))


def _merge_lists(spec: Spec, live: list[Any], config: list[Any]) -> list[Any]:
    declared = {managed_fields.key_of(spec, item): item for item in config}
    result = []
    for item in live:
        key = managed_fields.key_of(spec, item)
        result.append(merge(spec["list"], item, declared.pop(key)) if key in declared else item)
    return result + list(declared.values())


def without(spec: Spec, value: Any, paths: set[Path], path: Path = ()) -> Any:
    """The value without what is at the paths; a part that becomes empty goes, too, if its own path is among them."""
    if managed_fields.is_atomic(spec, value) or not any(found[: len(path)] == path for found in paths):
        return value
    if isinstance(value, list):
        kept = []
        for step, inner, item in managed_fields.entries(spec, value):
            here = (*path, step)
            if here not in paths:
                kept.append(without(inner, item, paths, here))
        return kept
    result = {}
    for step, inner, item in managed_fields.entries(spec, value):
        here = (*path, step)
        if here in paths:
            continue
        left = without(inner, item, paths, here)
        if left or not item:
            result[step[2:]] = left
    return result


def apply(kind: Kind, live: Obj, config: Obj, manager: Manager, *, force: bool) -> tuple[Obj, dict[Manager, Fields]]:
    """(the merged object, who owns what then); ApiError 409 where another owns a field that would change."""
    spec = schema.root(kind)
    declared = frozenset(managed_fields.fields_of(spec, config))
    before = {owner: fields for owner, (fields, _) in managed_fields.record_of(live).items()}
    if not before and live["metadata"].get("uid"):
        first = Manager("before-first-apply")
        before[first] = frozenset(managed_fields.fields_of(spec, {**live, "status": {}}, whole=True))
    merged = merge(spec, live, {key: value for key, value in config.items() if key not in ("apiVersion", "kind")})
    others: set[Path] = set().union(*(fields for owner, fields in before.items() if owner != manager))
    dropped = before.get(manager, frozenset()) - declared
    mine = {
        path for path in dropped if path not in others and not any(o[: len(path)] == path for o in others | declared)
    }
    merged = without(spec, merged, mine)
    changed, gone = managed_fields.changes(spec, live, merged)
    record: dict[Manager, Fields] = {}
    conflicts: list[tuple[Manager, Path]] = []
    for owner, fields in before.items():
        if owner != manager:
            conflicts += [(owner, path) for path in sorted(fields & changed & declared)]
            record[owner] = fields - (changed & declared) - gone
    if conflicts and not force:
        raise _conflict(kind, conflicts)
    record[manager] = declared
    return merged, record


def _conflict(kind: Kind, found: list[tuple[Manager, Path]]) -> ApiError:
    def who(manager: Manager) -> str:
        text = f'"{manager.name}"'
        if manager.subresource:
            text += f' with subresource "{manager.subresource}"'
        return text if manager.operation == "Apply" else f"{text} using {kind.api_version}"

    by_owner: dict[Manager, list[Path]] = {}
    for owner, path in found:
        by_owner.setdefault(owner, []).append(path)
    if len(found) == 1:
        listed = f"conflict with {who(found[0][0])}: {shown(found[0][1])}"
    else:
        listed = "\n".join(
            f"conflicts with {who(owner)}:\n" + "\n".join(f"- {shown(path)}" for path in paths)
            for owner, paths in by_owner.items()
        )
    causes = [(shown(path), "FieldManagerConflict", f"conflict with {who(owner)}") for owner, path in found]
    plural = "s" if len(found) > 1 else ""
    return ApiError(409, "Conflict", f"Apply failed with {len(found)} conflict{plural}: {listed}", causes=causes)
