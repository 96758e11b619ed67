# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON patch (RFC 6902), JSON merge patch (RFC 7386) and Kubernetes' strategic merge patch."""

from __future__ import annotations

import copy
import logging
from typing import Any

from . import schema
from .errors import ApiError, bad_request, go_text, internal
from .kinds import Obj
from .schema import Spec

LOG = logging.getLogger(__name__)


def json_patch(obj: Obj, operations: Any) -> Obj:
    """Apply a list of operations to a copy; ApiError 422 where one cannot be applied, 400 where it is malformed."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result: Any = copy.deepcopy(obj)
    for operation in operations:
        try:
            result = _operate(result, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            LOG.info("a JSON patch does not apply: %r", error)
            text = "the server rejected our request due to an error in our request"
            raise ApiError(422, "Invalid", text, empty_details=True) from None
    if not isinstance(result, dict):
        raise bad_request("the patch leaves no object")
    return result


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"not a JSON pointer: {pointer}")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _value_at(root: Any, steps: list[str]) -> Any:
    for step in steps:
        root = root[int(step)] if isinstance(root, list) else root[step]
    return root


def _operate(root: Any, operation: Obj) -> Any:
    verb, steps = operation["op"], _steps(operation["path"])
    if verb == "test":
        if _value_at(root, steps) != operation["value"]:
            raise ValueError(f"testing value {operation['path']} failed")
        return root
    if verb in ("move", "copy"):
        source = _steps(operation["from"])
        value = copy.deepcopy(_value_at(root, source))
        if verb == "move":
            root = _operate(root, {"op": "remove", "path": operation["from"]})
        return _operate(root, {"op": "add", "path": operation["path"], "value": value})
    if verb not in ("add", "replace", "remove"):
        raise ValueError(f"unexpected kind: {verb}")
    if not steps:
        return operation["value"]
    parent, last = _value_at(root, steps[:-1]), steps[-1]
    if isinstance(parent, list):
        _operate_on_list(parent, last, operation)
    elif verb == "remove":
        parent.pop(last, None)  # real: to remove what is not there is no error, and to replace it adds it
    else:
        parent[last] = operation["value"]
    return root


def _operate_on_list(items: list[Any], last: str, operation: Obj) -> None:
    if operation["op"] == "add":
        index = len(items) if last == "-" else int(last)
        if not 0 <= index <= len(items):
            raise IndexError(f"index {index} is out of bounds")
        items.insert(index, operation["value"])
    elif operation["op"] == "remove":
        del items[int(last)]
    else:
        items[int(last)] = operation["value"]


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: objects merge, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_merge(spec: Spec, target: Any, patch: Obj) -> Obj:
    """Strategic merge of an object of type ``spec``; lists merge by the keys that their type declares."""
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise internal(f"unknown patch type: {directive} in map: {go_text(patch)}")
    result = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        kept = set(patch["$retainKeys"])
        result = {key: value for key, value in result.items() if key in kept}
    for key, value in patch.items():
        inner = schema.field_of(spec, key)
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = strategic_merge(inner, result.get(key), value)
        elif isinstance(value, list):
            order = patch.get(f"$setElementOrder/{key}")
            result[key] = _merge_list(inner or {}, result.get(key) or [], value, order)
        else:
            result[key] = value
    _direct(spec, result, patch)
    return result


def _direct(spec: Spec, result: Obj, patch: Obj) -> None:
    """Follow a patch's directives on lists: what to drop from one of plain values, and the order of any."""
    for key, value in patch.items():
        directive, _, name = key.partition("/")
        if directive == "$deleteFromPrimitiveList":
            result[name] = [item for item in result.get(name, []) if item not in value]
        elif directive == "$setElementOrder" and name in result:
            result[name] = _in_order(schema.field_of(spec, name) or {}, result[name], value)


def _merge_list(spec: Spec, target: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    if not isinstance(spec, dict) or not spec.get("merge"):
        return copy.deepcopy(patch)
    merge_key, inner = spec.get("key"), spec["list"]
    if merge_key is None:
        return [item for item in patch if item not in target] + target
    if any(isinstance(item, dict) and item == {"$patch": "replace"} for item in patch):
        return [copy.deepcopy(item) for item in patch if item != {"$patch": "replace"}]
    result, fresh = list(target), []
    for item in patch:
        if not isinstance(item, dict) or merge_key not in item:
            raise internal(f"map: {go_text(item)} does not contain declared merge key: {merge_key}")
        place = next((i for i, found in enumerate(result) if found.get(merge_key) == item[merge_key]), None)
        if item.get("$patch") == "delete":
            if place is not None:
                del result[place]
        elif place is None:
            fresh.append(strategic_merge(inner, {}, item))
        else:
            result[place] = strategic_merge(inner, result[place], item)
    return result + fresh if order is not None else _patch_first(result, fresh, patch, merge_key)


def _patch_first(present: list[Any], fresh: list[Any], patch: list[Any], key: str) -> list[Any]:
    """Real: without an order given, the entries of the patch come in its order, new ones before those not named."""
    if not fresh:
        return present
    named = [item[key] for item in patch]
    by_name = {item[key]: item for item in [*present, *fresh]}
    first = [by_name[name] for name in named if name in by_name]
    return first + [item for item in present if item[key] not in named]


def _in_order(spec: Spec, items: list[Any], order: list[Any]) -> list[Any]:
    key = spec.get("key")
    places = {(item.get(key) if key and isinstance(item, dict) else item): i for i, item in enumerate(order)}
    ordered = sorted(
        (item for item in items if (item.get(key) if key else item) in places),
        key=lambda item: places[item.get(key) if key else item],
    )
    return ordered + [item for item in items if (item.get(key) if key else item) not in places]
