# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON patch (RFC 6902), JSON merge patch (RFC 7386) and Kubernetes' strategic merge patch."""

from __future__ import annotations

import copy
from typing import Any

from .errors import ApiError, bad_request
from .kinds import Obj

# Lists that a strategic merge patch merges by a key; every other list is replaced. "ports" is decided by its content.
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "conditions": "type",
    "addresses": "type",
    "imagePullSecrets": "name",
    "secrets": "name",
    "ownerReferences": "uid",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
PRIMITIVE_MERGE = {"finalizers"}


def json_patch(obj: Obj, operations: Any) -> Obj:
    """Apply a list of operations to a copy; ApiError 422 where one cannot be applied, 400 where it is malformed."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result: Any = copy.deepcopy(obj)
    for operation in operations:
        try:
            result = _operate(result, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise ApiError(
                422, "Invalid", f"the server rejected our request due to an error in our request: {error}"
            ) from None
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
        del parent[last]
    else:
        if verb == "replace" and last not in parent:
            raise KeyError(f"replace operation does not apply: doc is missing key: {operation['path']}")
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


def strategic_merge(target: Any, patch: Obj) -> Obj:
    """Strategic merge of an object; lists merge by their key as the built-in types declare it."""
    if patch.get("$patch") == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    result = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        kept = set(patch["$retainKeys"])
        result = {key: value for key, value in result.items() if key in kept}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.split("/", 1)[1]
            result[name] = [item for item in result.get(name, []) if item not in value]
        elif key.startswith("$"):
            continue  # the remaining directives only order lists
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = strategic_merge(result.get(key), value)
        elif isinstance(value, list):
            result[key] = _merge_list(key, result.get(key) or [], value)
        else:
            result[key] = value
    return result


def _merge_list(field: str, target: list[Any], patch: list[Any]) -> list[Any]:
    if field in PRIMITIVE_MERGE:
        return target + [item for item in patch if item not in target]
    merge_key = _merge_key(field, target + patch)
    if merge_key is None:
        return [strategic_merge({}, item) if isinstance(item, dict) else item for item in patch]
    if any(isinstance(item, dict) and item == {"$patch": "replace"} for item in patch):
        return [copy.deepcopy(item) for item in patch if item != {"$patch": "replace"}]
    result = list(target)
    for item in patch:
        if not isinstance(item, dict) or merge_key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {merge_key}")
        place = next((i for i, found in enumerate(result) if found.get(merge_key) == item[merge_key]), None)
        if item.get("$patch") == "delete":
            if place is not None:
                del result[place]
        elif place is None:
            result.append(strategic_merge({}, item))
        else:
            result[place] = strategic_merge(result[place], item)
    return result


def _merge_key(field: str, items: list[Any]) -> str | None:
    if field == "ports":  # of a container by containerPort, of a Service by port
        dicts = [item for item in items if isinstance(item, dict)]
        if any("containerPort" in item for item in dicts):
            return "containerPort"
        return "port" if any("port" in item for item in dicts) else None
    return MERGE_KEYS.get(field)
