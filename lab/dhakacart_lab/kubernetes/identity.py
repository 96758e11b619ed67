# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a request means the object that it reaches: name, namespace, uid and revision."""

from __future__ import annotations

from typing import Any

from . import server_side_apply
from .errors import bad_request, conflict, internal, invalid, precondition_failed
from .kinds import Kind, Obj, clone


def check_declaration(kind: Kind, namespace: str, name: str, config: Any) -> Obj:
    """A copy of what an author of server-side apply declares; ApiError 400 where it is not of this object."""
    if not isinstance(config, dict):
        raise bad_request("error decoding YAML: the declaration is not an object")
    group, _, version = str(config.get("apiVersion") or "/").rpartition("/")
    if (config.get("apiVersion"), config.get("kind")) != (kind.api_version, kind.kind):
        raise bad_request(f"invalid object type: {group}/{version}, Kind={config.get('kind') or ''}")
    server_side_apply.check(kind, config)
    declared: Obj = clone(config)
    meta = declared.setdefault("metadata", {})
    if isinstance(meta, dict):
        if "managedFields" in meta:
            raise bad_request("metadata.managedFields must be nil")
        check_place(kind, namespace, name, meta)
        meta.pop("creationTimestamp", None)
    return declared


def check_same(kind: Kind, name: str, namespace: str, meta: Obj, old: Obj) -> None:
    """ApiError where an update is of another object, or of another state of it, than the present one."""
    version = str(meta.get("resourceVersion") or "")
    if version and not version.isdigit():
        raise internal(f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if version not in ("", "0", old["resourceVersion"]):
        raise conflict(kind, name)
    if meta.get("uid") and meta["uid"] != old["uid"]:
        where = "/".join(part for part in ("/registry", kind.plural, namespace, name) if part)
        raise conflict(
            kind, name,
            f"StorageError: invalid object, Code: 4, Key: {where}, ResourceVersion: 0, AdditionalErrorMsg: Precondition"
            f" failed: UID in precondition: {meta['uid']}, UID in object meta: {old['uid']}",
        )  # fmt: skip


def check_place(kind: Kind, namespace: str, name: str, meta: Obj) -> None:
    """ApiError 400 where a body names another object than the path."""
    if meta.setdefault("name", name) != name:
        raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    if kind.namespaced and meta.setdefault("namespace", namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def check_uid(kind: Kind, name: str, obj: Obj, current: Obj) -> None:
    """ApiError 422 where a patch changes the identity of an object."""
    uid = obj["metadata"].get("uid")
    if uid not in (None, current["metadata"]["uid"]):
        problem = ("metadata.uid", "FieldValueInvalid", f'Invalid value: "{uid}": field is immutable')
        raise invalid(kind, name, [problem, problem])  # real: noticed by two checks, and listed by both


def check_preconditions(kind: Kind, current: Obj, uid: str | None, resource_version: str | None) -> None:
    meta = current["metadata"]
    for word, wanted, found in (
        ("UID", uid, meta["uid"]),
        ("ResourceVersion", resource_version, meta["resourceVersion"]),
    ):
        if wanted is not None and wanted != found:
            raise precondition_failed(kind, meta["name"], word, wanted, found)
