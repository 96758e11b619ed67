# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, update, patch and delete with the rules of the API server; the HTTP server and the controllers share it."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import admission, defaults, managed_fields, patching, schema, server_side_apply, validation
from .errors import ApiError, already_exists, bad_request, internal, invalid, not_found
from .identity import check_declaration, check_place, check_preconditions, check_same, check_uid
from .kinds import DEPLOYMENT, NAMESPACE, POD, SERVICE, SERVICE_ACCOUNT, Kind, Obj, clone, now, timestamp
from .kinds import SAFE as SAFE
from .kinds import random_suffix as random_suffix
from .managed_fields import Manager
from .store import Store

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH)
Check = Callable[[Obj, Any, str], Obj]  # (patched object, patch, content type) → the object in the terms of its type
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

    def create(
        self,
        kind: Kind,
        namespace: str,
        obj: Any,
        *,
        dry_run: bool = False,
        keep_status: bool = False,
        manager: Manager | None = None,
    ) -> Obj:
        obj = clone(validation.check_type(kind, obj))
        meta: Obj = obj["metadata"]
        self._place(kind, namespace, meta)
        if meta.get("resourceVersion"):
            raise internal("resourceVersion should not be set on objects to be created")
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
        if not (manager and manager.operation == "Apply"):
            managed_fields.note(kind, None, obj, manager)
        self._prepare(kind, obj)
        validation.check(kind, obj)
        if kind == POD:
            admission.admit_pod(self.store, obj)
        if present := self.store.get(kind, meta.get("namespace", ""), meta["name"]):
            raise already_exists(kind, meta["name"], being_deleted="deletionTimestamp" in present["metadata"])
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp()}
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
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
        self,
        kind: Kind,
        namespace: str,
        name: str,
        obj: Any,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
        manager: Manager | None = None,
    ) -> Obj:
        """Replace an object or, for ``subresource`` "status", only its status. 409 where it changed meanwhile."""
        current = self.get(kind, namespace, name)
        obj = clone(validation.check_type(kind, obj))
        meta: Obj = obj["metadata"]
        check_place(kind, namespace, name, meta)
        old_meta = current["metadata"]
        check_same(kind, name, namespace, meta, old_meta)
        applied = manager is not None and manager.operation == "Apply"
        forgotten = meta.get("managedFields") == [{}]  # how a client has the record begun anew
        for field in KEPT if applied or forgotten else (*KEPT, "managedFields"):
            meta.pop(field, None)
            if field in old_meta:
                meta[field] = old_meta[field]
        if forgotten:
            meta.pop("managedFields")
        meta["resourceVersion"] = old_meta["resourceVersion"]
        if subresource == "status":
            result = _status_update(kind, current, obj)
        else:
            result = self._main_update(kind, current, obj)
        if result == current:
            return current  # real: a change of nothing makes no new revision
        if not applied and not forgotten:
            managed_fields.note(kind, current, result, manager)
        if dry_run:
            return result
        if old_meta.get("deletionTimestamp") and not _holds(kind, result):
            self.store.remove(kind, result)
            return result  # real: as it was before, not as it went
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
        validation.check(kind, obj, current)
        noted = [found["metadata"].get("annotations") or {} for found in (obj, current)]
        if (kind.generation and obj.get("spec") != current.get("spec")) or (
            kind == DEPLOYMENT and noted[0] != noted[1]
        ):
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
        manager: Manager | None = None,
        check: Check | None = None,
    ) -> Obj:
        """Apply a patch of one of the three types."""
        current = self.get(kind, namespace, name)
        result = apply_patch(schema.root(kind), clone(current), patch, content_type)
        if check:
            result = check(result, patch, content_type)
        check_uid(kind, name, result, current)
        return self.update(kind, namespace, name, result, subresource=subresource, dry_run=dry_run, manager=manager)

    def apply(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        config: Any,
        manager: Manager,
        *,
        force: bool = False,
        dry_run: bool = False,
    ) -> tuple[Obj, bool]:
        """Server-side apply: (the object, whether it is new)."""
        config = check_declaration(kind, namespace, name, config)
        if manager.subresource:
            self.get(kind, namespace, name)
        current = self.store.get(kind, namespace, name)
        if current is None:
            config["metadata"].pop("resourceVersion", None)
        else:
            check_uid(kind, name, config, current)
        bare: Obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
        merged, record = server_side_apply.apply(kind, current or bare, config, manager, force=force)
        before = managed_fields.record_of(current) if current else {}
        merged = clone(merged)
        managed_fields.write(kind, merged, record, before)
        if current is None:
            return self.create(kind, namespace, merged, dry_run=dry_run, manager=manager), True
        sub = manager.subresource or None
        return self.update(kind, namespace, name, merged, subresource=sub, dry_run=dry_run, manager=manager), False

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
        check_preconditions(kind, current, options.uid, options.resource_version)
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
        if meta.get("generation") and not meta.get("deletionTimestamp"):
            meta["generation"] += 1
        if kind == NAMESPACE:
            target["status"] = {**target.get("status", {}), "phase": "Terminating"}
        if grace == 0 and not _finalizers(kind, target):
            if kind == POD:
                meta |= {"deletionTimestamp": timestamp(), "deletionGracePeriodSeconds": 0}
            return (target if dry_run else self.store.remove(kind, target)), True
        already = meta.get("deletionGracePeriodSeconds")
        if not meta.get("deletionTimestamp") or (already is not None and grace < already):
            begun = now()
            meta["deletionTimestamp"] = timestamp(begun + datetime.timedelta(seconds=grace))
            if kind != NAMESPACE:
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


def apply_patch(spec: schema.Spec, current: Obj, patch: Any, content_type: str) -> Obj:
    """The patched object of type ``spec``; ApiError 415 for a content type that is not served."""
    if content_type == JSON_PATCH:
        return patching.json_patch(current, patch)
    if content_type not in PATCH_TYPES:
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", empty_details=True)
    if content_type == MERGE_PATCH:
        return dict(patching.merge_patch(current, patch))
    return patching.strategic_merge(spec, current, patch)


def _status_update(kind: Kind, current: Obj, obj: Obj) -> Obj:
    """The present object with the new status. Real: labels and annotations may be changed along with it."""
    result = {**clone(current), "status": obj.get("status", {})}
    for field in ("labels", "annotations", "managedFields"):
        result["metadata"].pop(field, None)
        if field in obj["metadata"]:
            result["metadata"][field] = obj["metadata"][field]
    defaults.conditions(kind, result)
    return result


def _holds(kind: Kind, obj: Obj) -> bool:
    """Whether something still keeps an object under deletion: finalizers, or a pod's grace period."""
    return _finalizers(kind, obj) or (kind == POD and bool(obj["metadata"].get("deletionGracePeriodSeconds")))


def _finalizers(kind: Kind, obj: Obj) -> bool:
    return bool(obj["metadata"].get("finalizers") or (kind == NAMESPACE and obj.get("spec", {}).get("finalizers")))


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
