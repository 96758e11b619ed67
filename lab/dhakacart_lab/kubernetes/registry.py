# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, update, patch and delete with the rules of the API server; the HTTP server and the controllers share it."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import defaults, patching, validation
from .errors import ApiError, already_exists, bad_request, conflict, invalid, not_found
from .kinds import CONFIG_MAP, NAMESPACE, POD, SECRET, SERVICE, SERVICE_ACCOUNT, Kind, Obj, clone, now, timestamp
from .store import Store

SAFE = "bcdfghjklmnpqrstvwxz2456789"  # the alphabet of generated names
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH)  # server-side apply is not served
KEPT = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "namespace",
    "name",
)
RETURNS_OBJECT = (POD, SERVICE, SERVICE_ACCOUNT)  # what a completed deletion answers with the object, not a Status


@dataclass(frozen=True)
class DeleteOptions:
    """``grace``: seconds, None for the object's own; ``policy``: Background, Foreground or Orphan."""

    grace: int | None = None
    policy: str = "Background"
    uid: str | None = None
    resource_version: str | None = None


def random_suffix(length: int = 5) -> str:
    return "".join(random.choices(SAFE, k=length))


class Registry:
    """Writes to the store as the API server allows them. With ``dry_run`` everything but the write happens."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, kind: Kind, namespace: str, name: str) -> Obj:
        """The object; ApiError 404 where there is none."""
        found = self.store.get(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def create(self, kind: Kind, namespace: str, obj: Any, *, dry_run: bool = False, keep_status: bool = False) -> Obj:
        obj = clone(validation.check_type(kind, obj))
        meta: Obj = obj["metadata"]
        self._place(kind, namespace, meta)
        if meta.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        if not meta.get("name"):
            if not meta.get("generateName"):
                raise invalid(
                    kind,
                    "",
                    [("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")],
                )
            meta["name"] = meta["generateName"] + random_suffix()
        if kind.has_status and not keep_status:
            obj.pop("status", None)
        defaults.apply(kind, obj)
        self._prepare(kind, obj)
        validation.check(kind, obj)
        if self.store.get(kind, meta.get("namespace", ""), meta["name"]):
            raise already_exists(kind, meta["name"])
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp()}
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"):
            meta.pop(field, None)
        if kind.generation:
            meta["generation"] = 1
        return obj if dry_run else self.store.put(kind, obj)

    def _place(self, kind: Kind, namespace: str, meta: Obj) -> None:
        if not kind.namespaced:
            meta.pop("namespace", None)
            return
        if meta.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        home = self.store.get(NAMESPACE, "", namespace)
        if home is None:
            raise not_found(NAMESPACE, namespace)
        if home["metadata"].get("deletionTimestamp"):
            message = f"unable to create new content in namespace {namespace} because it is being terminated"
            name = meta.get("name", "")
            raise ApiError(
                403, "Forbidden", f'{kind.qualified} "{name}" is forbidden: {message}', kind=kind, name=name,
                causes=[("metadata.namespace", "NamespaceTerminating", f"namespace {namespace} is being terminated")],
            )  # fmt: skip

    def _prepare(self, kind: Kind, obj: Obj) -> None:
        if kind == POD:
            obj.setdefault("status", {}).setdefault("phase", "Pending")
            obj["status"].setdefault("qosClass", _qos(obj.get("spec") or {}))
        elif kind == NAMESPACE:
            obj["status"] = {"phase": "Active"}
        elif kind == SERVICE and isinstance(obj.get("spec"), dict):
            obj["status"] = {"loadBalancer": {}}
            if not obj["spec"].get("clusterIP") and obj["spec"].get("type") != "ExternalName":
                obj["spec"]["clusterIP"] = self._cluster_ip()
            if obj["spec"].get("clusterIP"):
                obj["spec"]["clusterIPs"] = [obj["spec"]["clusterIP"]]

    def _cluster_ip(self) -> str:
        """An unused address of the service network, which nothing routes: the lab has no kube-proxy."""
        used = {service["spec"].get("clusterIP") for service in self.store.all(SERVICE)}
        while (address := f"172.20.{random.randint(1, 254)}.{random.randint(1, 254)}") in used:
            pass
        return address

    def update(
        self, kind: Kind, namespace: str, name: str, obj: Any, *, subresource: str | None = None, dry_run: bool = False
    ) -> Obj:
        """Replace an object or, for ``subresource`` "status", only its status. 409 where it changed meanwhile."""
        current = self.get(kind, namespace, name)
        obj = clone(validation.check_type(kind, obj))
        meta: Obj = obj["metadata"]
        if meta.setdefault("name", name) != name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
        if kind.namespaced and meta.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the object does not match the namespace on the request")
        old_meta = current["metadata"]
        if meta.get("resourceVersion") and meta["resourceVersion"] != old_meta["resourceVersion"]:
            raise conflict(kind, name)
        if meta.get("uid") and meta["uid"] != old_meta["uid"]:
            why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {old_meta['uid']}"
            raise conflict(kind, name, why)
        for field in KEPT:
            meta.pop(field, None)
            if field in old_meta:
                meta[field] = old_meta[field]
        meta.pop("managedFields", None)
        meta["resourceVersion"] = old_meta["resourceVersion"]
        if subresource == "status":
            result = {**clone(current), "status": obj.get("status", {})}
        else:
            result = self._main_update(kind, current, obj)
        if result == current:
            return current  # real: a change of nothing makes no new revision
        if dry_run:
            return result
        if old_meta.get("deletionTimestamp") and not _holds(kind, result):
            return self.store.remove(kind, result)
        return self.store.put(kind, result)

    def _main_update(self, kind: Kind, current: Obj, obj: Obj) -> Obj:
        if kind.has_status:
            obj.pop("status", None)
            if "status" in current:
                obj["status"] = clone(current["status"])
        if kind == SERVICE and isinstance(obj.get("spec"), dict) and current["spec"].get("clusterIP"):
            obj["spec"].setdefault("clusterIP", current["spec"]["clusterIP"])
            obj["spec"].setdefault("clusterIPs", current["spec"]["clusterIPs"])
        if kind == POD and isinstance(obj.get("spec"), dict) and current["spec"].get("nodeName"):
            obj["spec"].setdefault("nodeName", current["spec"]["nodeName"])
        defaults.apply(kind, obj)
        if (
            kind in (SECRET, CONFIG_MAP)
            and current.get("immutable")
            and any(obj.get(field) != current.get(field) for field in ("data", "binaryData", "immutable"))
        ):
            text = "Forbidden: field is immutable when `immutable` is set"
            raise invalid(kind, obj["metadata"]["name"], [("data", "FieldValueForbidden", text)])
        validation.check(kind, obj, current)
        if kind.generation and obj.get("spec") != current.get("spec"):
            obj["metadata"]["generation"] = current["metadata"].get("generation", 0) + 1
        return obj

    def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        patch: Any,
        content_type: str,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Obj:
        """Apply a patch of one of the three types; ApiError 415 for another."""
        if content_type not in PATCH_TYPES:
            raise _unsupported()
        current = self.get(kind, namespace, name)
        result = apply_patch(clone(current), patch, content_type)
        return self.update(kind, namespace, name, result, subresource=subresource, dry_run=dry_run)

    def modify(
        self, kind: Kind, obj: Obj, change: Callable[[Obj], None], *, subresource: str | None = None
    ) -> Obj | None:
        """For controllers: change a copy of the present object in place and write it; None where it is gone."""
        meta = obj["metadata"]
        current = self.store.get(kind, meta.get("namespace", ""), meta["name"])
        if current is None or current["metadata"]["uid"] != meta["uid"]:
            return None
        copy = clone(current)
        change(copy)
        return self.update(kind, meta.get("namespace", ""), meta["name"], copy, subresource=subresource)

    def delete(
        self, kind: Kind, namespace: str, name: str, options: DeleteOptions = DeleteOptions(), *, dry_run: bool = False
    ) -> tuple[Obj, bool]:
        """Delete, or mark as being deleted; (the object's last state, whether it is gone)."""
        current = self.get(kind, namespace, name)
        _check_preconditions(kind, current, options)
        target = clone(current)
        meta = target["metadata"]
        finalizers = meta.setdefault("finalizers", [])
        if options.policy == "Foreground" and "foregroundDeletion" not in finalizers:
            finalizers.append("foregroundDeletion")
        elif options.policy == "Orphan" and "orphan" not in finalizers:
            finalizers.append("orphan")
        if not finalizers:
            del meta["finalizers"]
        grace = self._grace(kind, target, options)
        if kind == NAMESPACE:
            target["status"] = {**target.get("status", {}), "phase": "Terminating"}
        if grace == 0 and not _finalizers(kind, target):
            return (target if dry_run else self.store.remove(kind, target)), True
        already = meta.get("deletionGracePeriodSeconds")
        if not meta.get("deletionTimestamp") or (already is not None and grace < already):
            begun = now()
            meta["deletionTimestamp"] = timestamp(begun + datetime.timedelta(seconds=grace))
            meta["deletionGracePeriodSeconds"] = grace
        if target == current or dry_run:
            return target, False
        return self.store.put(kind, target), False

    @staticmethod
    def _grace(kind: Kind, obj: Obj, options: DeleteOptions) -> int:
        if kind != POD:
            return 0
        if not obj["spec"].get("nodeName") or obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            return 0  # nothing runs that would need time
        grace = options.grace
        if grace is None:
            grace = obj["metadata"].get("deletionGracePeriodSeconds")
        if grace is None:
            grace = int(obj["spec"].get("terminationGracePeriodSeconds", 30))
        return max(0, int(grace))

    def finish(self, kind: Kind, obj: Obj, finalizer: str) -> None:
        """Take one finalizer off; the object goes with its last one."""

        def change(copy: Obj) -> None:
            for holder in (copy["metadata"], copy.get("spec", {})):
                if finalizer in holder.get("finalizers", []):
                    holder["finalizers"] = [item for item in holder["finalizers"] if item != finalizer]

        self.modify(kind, obj, change)


def apply_patch(current: Obj, patch: Any, content_type: str) -> Obj:
    """The patched object; ApiError 415 for a content type that is not served."""
    if content_type == JSON_PATCH:
        return patching.json_patch(current, patch)
    if content_type not in PATCH_TYPES:
        raise _unsupported()
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: the patch is not a JSON object")
    if content_type == MERGE_PATCH:
        return dict(patching.merge_patch(current, patch))
    return patching.strategic_merge(current, patch)


def _unsupported() -> ApiError:
    message = (
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(PATCH_TYPES)}"
    )
    return ApiError(415, "UnsupportedMediaType", message)


def _holds(kind: Kind, obj: Obj) -> bool:
    """Whether something still keeps an object under deletion: finalizers, or a pod's grace period."""
    return _finalizers(kind, obj) or (kind == POD and bool(obj["metadata"].get("deletionGracePeriodSeconds")))


def _finalizers(kind: Kind, obj: Obj) -> bool:
    return bool(obj["metadata"].get("finalizers") or (kind == NAMESPACE and obj.get("spec", {}).get("finalizers")))


def _check_preconditions(kind: Kind, current: Obj, options: DeleteOptions) -> None:
    meta = current["metadata"]
    for word, wanted, found in (
        ("UID", options.uid, meta["uid"]),
        ("ResourceVersion", options.resource_version, meta["resourceVersion"]),
    ):
        if wanted is not None and wanted != found:
            why = f"Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {found}"
            raise conflict(kind, meta["name"], why)


def _qos(spec: Obj) -> str:
    resources = [container.get("resources") or {} for container in spec.get("containers") or []]
    if all(not r.get("requests") and not r.get("limits") for r in resources):
        return "BestEffort"
    if all(
        r.get("limits", {}).get(name) and r.get("requests", r["limits"]).get(name) == r["limits"][name]
        for r in resources
        for name in ("cpu", "memory")
    ):
        return "Guaranteed"
    return "Burstable"
