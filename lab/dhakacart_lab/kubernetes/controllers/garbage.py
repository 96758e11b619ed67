# SPDX-License-Identifier: GPL-3.0-or-later
"""Garbage collection by ownerReferences: background, foreground and orphan deletion."""

from __future__ import annotations

from collections.abc import Iterable

from ..kinds import BY_PLURAL, BY_TYPE, Kind, Obj
from ..registry import DeleteOptions, Registry
from ..store import Change
from .base import Controller, Key, Recorder


class GarbageCollector(Controller):
    """Its keys are (plural/namespace, name) of an object whose owners, or whose dependents, want looking at."""

    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        super().__init__(registry, recorder)
        self._dependents: dict[str, set[tuple[Kind, str, str]]] = {}

    def keys(self, change: Change) -> Iterable[Key]:
        meta = change.obj["metadata"]
        identity = (change.kind, meta.get("namespace", ""), meta["name"])
        for reference in meta.get("ownerReferences") or []:
            known = self._dependents.setdefault(reference["uid"], set())
            if change.type == "DELETED":
                known.discard(identity)
                if not known:
                    del self._dependents[reference["uid"]]
                owner_kind = BY_TYPE.get((reference.get("apiVersion", ""), reference.get("kind", "")))
                if owner_kind:  # a foreground deletion may have waited for this
                    yield _key(owner_kind, meta.get("namespace", ""), reference["name"])
            else:
                known.add(identity)
        if change.type == "DELETED":
            for kind, namespace, name in self._dependents.get(meta.get("uid", ""), ()):
                yield _key(kind, namespace, name)
        elif meta.get("ownerReferences") or meta.get("deletionTimestamp"):
            yield _key(*identity)

    def reconcile(self, key: Key) -> float | None:
        plural, _, namespace = key[0].partition("/")
        kind = BY_PLURAL[plural]
        obj = self.store.get(kind, namespace, key[1])
        if obj is None:
            return None
        finalizers = obj["metadata"].get("finalizers") or []
        if "deletionTimestamp" in obj["metadata"]:
            if "orphan" in finalizers:
                self._orphan(kind, obj)
            elif "foregroundDeletion" in finalizers:
                self._foreground(kind, obj)
            return None
        references = obj["metadata"].get("ownerReferences") or []
        if references and not any(self._alive(reference, namespace) for reference in references):
            self.registry.delete(kind, namespace, key[1], DeleteOptions(uid=obj["metadata"]["uid"]))
        return None

    def _alive(self, reference: Obj, namespace: str) -> bool:
        kind = BY_TYPE.get((reference.get("apiVersion", ""), reference.get("kind", "")))
        if kind is None:
            return True  # not a kind we could look up: never delete on a guess
        owner = self.store.get(kind, namespace, reference["name"])
        return owner is not None and owner["metadata"]["uid"] == reference["uid"]

    def _of(self, owner: Obj) -> list[tuple[Kind, Obj]]:
        found = []
        for kind, namespace, name in sorted(
            self._dependents.get(owner["metadata"]["uid"], ()), key=lambda entry: entry[1:]
        ):
            if obj := self.store.get(kind, namespace, name):
                found.append((kind, obj))
        return found

    def _orphan(self, kind: Kind, owner: Obj) -> None:
        uid = owner["metadata"]["uid"]

        def change(copy: Obj) -> None:
            kept = [reference for reference in copy["metadata"].get("ownerReferences", []) if reference["uid"] != uid]
            copy["metadata"].pop("ownerReferences", None)
            if kept:
                copy["metadata"]["ownerReferences"] = kept

        for dependent_kind, dependent in self._of(owner):
            self.registry.modify(dependent_kind, dependent, change)
        self._dependents.pop(uid, None)
        self.registry.finish(kind, owner, "orphan")

    def _foreground(self, kind: Kind, owner: Obj) -> None:
        uid = owner["metadata"]["uid"]
        dependents = self._of(owner)
        for dependent_kind, dependent in dependents:
            meta = dependent["metadata"]
            if "deletionTimestamp" not in meta:
                options = DeleteOptions(policy="Foreground", uid=meta["uid"])
                self.registry.delete(dependent_kind, meta.get("namespace", ""), meta["name"], options)
        if not any(_blocks(dependent, uid) for _, dependent in self._of(owner)):
            self.registry.finish(kind, owner, "foregroundDeletion")


def _key(kind: Kind, namespace: str, name: str) -> Key:
    return f"{kind.plural}/{namespace}", name


def _blocks(dependent: Obj, uid: str) -> bool:
    references = dependent["metadata"].get("ownerReferences") or []
    return any(reference["uid"] == uid and reference.get("blockOwnerDeletion") for reference in references)
