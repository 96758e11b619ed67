# SPDX-License-Identifier: GPL-3.0-or-later
"""What controllers share: their form, events, and finding what an object owns."""

from __future__ import annotations

import time
from collections.abc import Iterable

from .. import selectors
from ..kinds import EVENT, POD, Kind, Obj, clone, controller_of, owner_reference, timestamp
from ..registry import Registry
from ..store import Change

REMEMBERED = 5000  # events that are counted up rather than written anew
Key = tuple[str, str]  # namespace ("" for kinds without), name


class Controller:
    """Brings one object at a time to the state its spec asks for."""

    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        self.registry = registry
        self.store = registry.store
        self.recorder = recorder

    def prepare(self) -> None:
        """Called once, before anything is looked at."""

    def keys(self, change: Change) -> Iterable[Key]:
        """The objects to look at because of a change."""
        raise NotImplementedError

    def reconcile(self, key: Key) -> float | None:
        """Bring the object to its state; the seconds after which to look again, None for not before a change."""
        raise NotImplementedError


class Recorder:
    """Writes Events; the same one again counts up instead."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[str, ...], Key] = {}

    def record(self, kind: Kind, obj: Obj, event_type: str, reason: str, message: str, component: str) -> None:
        meta = obj["metadata"]
        namespace = meta.get("namespace") or "default"
        same = (kind.kind, meta.get("uid", ""), event_type, reason, message, component)
        known = self._known.get(same)
        found = self._registry.store.get(EVENT, *known) if known else None
        if found:

            def count(copy: Obj) -> None:
                copy["count"] += 1
                copy["lastTimestamp"] = timestamp()

            self._registry.modify(EVENT, found, count)
            return
        event = {
            "metadata": {"name": f"{meta['name']}.{time.time_ns():x}", "namespace": namespace},
            "involvedObject": {
                "kind": kind.kind,
                "apiVersion": kind.api_version,
                "name": meta["name"],
                "namespace": meta.get("namespace", ""),
                "uid": meta.get("uid", ""),
                "resourceVersion": meta.get("resourceVersion", ""),
            },
            "type": event_type,
            "reason": reason,
            "message": message,
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
            "firstTimestamp": timestamp(),
            "lastTimestamp": timestamp(),
            "eventTime": None,
            "count": 1,
        }
        created = self._registry.create(EVENT, namespace, event)
        if len(self._known) > REMEMBERED:
            self._known.clear()
        self._known[same] = (namespace, created["metadata"]["name"])


def owned(registry: Registry, kind: Kind, owner_kind: Kind, owner: Obj) -> list[Obj]:
    """The objects an owner controls. Takes in orphans that match its selector and lets go those that no longer do."""
    uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
    selector = owner["spec"]["selector"]
    found: list[Obj] = []
    for obj in registry.store.all(kind, namespace):
        controller = controller_of(obj)
        matching = selectors.matches(selector, obj["metadata"].get("labels"))
        if controller and controller["uid"] == uid:
            if matching or obj["metadata"].get("deletionTimestamp"):
                found.append(obj)
            else:
                registry.modify(kind, obj, lambda copy: _release(copy, uid))
        elif controller is None and matching and not _leaving(obj) and not _leaving(owner):
            adopted = registry.modify(kind, obj, lambda copy: _adopt(copy, owner_kind, owner))
            if adopted:
                found.append(adopted)
    return found


def _leaving(obj: Obj) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _release(copy: Obj, uid: str) -> None:
    references = [reference for reference in copy["metadata"]["ownerReferences"] if reference["uid"] != uid]
    copy["metadata"]["ownerReferences"] = references


def _adopt(copy: Obj, owner_kind: Kind, owner: Obj) -> None:
    copy["metadata"].setdefault("ownerReferences", []).append(owner_reference(owner_kind, owner))


def selected_pods(registry: Registry, namespace: str, selector: Obj | None) -> list[Obj]:
    return [
        pod for pod in registry.store.all(POD, namespace) if selectors.matches(selector, pod["metadata"].get("labels"))
    ]


def set_status(registry: Registry, kind: Kind, obj: Obj, status: Obj) -> None:
    """Write a status if it differs."""
    if obj.get("status") != status:

        def change(copy: Obj) -> None:
            copy["status"] = clone(status)

        registry.modify(kind, obj, change, subresource="status")


def with_condition(
    conditions: list[Obj], name: str, status: str, reason: str, message: str, *, updates: bool = False
) -> list[Obj]:
    """The list with one condition set; its transition time moves only when the status does.

    ``updates``: the condition carries lastUpdateTime, as a Deployment's do.
    """
    old = next((found for found in conditions if found["type"] == name), None)
    if old and (old["status"], old.get("reason"), old.get("message")) == (status, reason, message):
        return conditions
    moment = timestamp()
    new = {"type": name, "status": status, "reason": reason, "message": message}
    if updates:
        new["lastUpdateTime"] = moment
    new["lastTransitionTime"] = old["lastTransitionTime"] if old and old["status"] == status else moment
    return [found for found in conditions if found["type"] != name] + [new]
