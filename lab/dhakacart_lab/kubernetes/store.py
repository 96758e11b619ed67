# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects, their history and their persistence.

One append-only table of revisions, as etcd keeps them: an object's latest row is its present state, older rows let a
watch resume, and compaction drops what is too old, after which such a watch is told 410 Expired.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .kinds import BY_PATH, Kind, Obj, key_of

HISTORY = 2000  # revisions that a watch can resume over
COMPACT_EVERY = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One revision: ADDED, MODIFIED or DELETED; ``previous`` is the state before, for selectors."""

    revision: int
    type: str
    kind: Kind
    obj: Obj
    previous: Obj | None


class Store:
    """Objects by kind and (namespace, name). Nobody changes what it returns: copy first."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)  # it holds the Secrets
        # WAL without sync outlives the process; only a crash of the machine may lose the last writes.
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE IF NOT EXISTS revisions (revision INTEGER PRIMARY KEY, type TEXT NOT NULL,"
            " api TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL);"
            "CREATE INDEX IF NOT EXISTS by_object ON revisions (api, namespace, name, revision)"
        )
        self._objects: dict[Kind, dict[tuple[str, str], Obj]] = {kind: {} for kind in BY_PATH.values()}
        self._history: deque[Change] = deque()
        self._listeners: list[Callable[[Change], None]] = []
        self.revision = 0
        self.compacted: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        self._load()

    def _load(self) -> None:
        for revision, change_type, api, namespace, name, body in self._db.execute(
            "SELECT revision, type, api, namespace, name, body FROM revisions ORDER BY revision"
        ):
            group, version, plural = api.split("/")
            kind = BY_PATH[group, version, plural]
            obj = json.loads(body)
            self._remember(Change(revision, change_type, kind, obj, self._objects[kind].get((namespace, name))))

    def _remember(self, change: Change) -> None:
        objects = self._objects[change.kind]
        key = key_of(change.obj)
        if change.type == "DELETED":
            objects.pop(key, None)
        else:
            objects[key] = change.obj
        self.revision = change.revision
        if change.revision > self.compacted:
            self._history.append(change)

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        return self._objects[kind].get((namespace if kind.namespaced else "", name))

    def all(self, kind: Kind, namespace: str | None = None) -> list[Obj]:
        """All objects of a kind, or of one namespace, in the order of their keys."""
        objects = self._objects[kind]
        keys = objects if namespace is None else [key for key in objects if key[0] == namespace]
        return [objects[key] for key in sorted(keys)]

    def put(self, kind: Kind, obj: Obj) -> Obj:
        """Write ``obj``, which the store then owns; it carries its new resourceVersion."""
        previous = self._objects[kind].get(key_of(obj))
        return self._commit("MODIFIED" if previous else "ADDED", kind, obj, previous)

    def remove(self, kind: Kind, obj: Obj) -> Obj:
        """Delete; returns the last state with the revision of the deletion."""
        last = {**obj, "metadata": dict(obj["metadata"])}
        return self._commit("DELETED", kind, last, obj)

    def _commit(self, change_type: str, kind: Kind, obj: Obj, previous: Obj | None) -> Obj:
        revision = self.revision + 1
        obj["metadata"]["resourceVersion"] = str(revision)
        namespace, name = key_of(obj)
        api = f"{kind.group}/{kind.version}/{kind.plural}"
        self._db.execute(
            "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?)",
            (revision, change_type, api, namespace, name, json.dumps(obj, separators=(",", ":"))),
        )
        change = Change(revision, change_type, kind, obj, previous)
        self._remember(change)
        if len(self._history) >= HISTORY + COMPACT_EVERY:
            self._compact()
        for listener in tuple(self._listeners):
            listener(change)
        return obj

    def _compact(self) -> None:
        while len(self._history) > HISTORY:
            self.compacted = self._history.popleft().revision
        # an object's latest row up to the point stays: it is the state that later rows changed.
        point = {"point": self.compacted}
        self._db.execute("BEGIN")
        self._db.execute(
            "DELETE FROM revisions WHERE revision <= :point AND (type = 'DELETED' OR EXISTS ("
            "SELECT 1 FROM revisions later WHERE later.api = revisions.api AND later.namespace = revisions.namespace"
            " AND later.name = revisions.name AND later.revision > revisions.revision AND later.revision <= :point))",
            point,
        )
        self._db.execute(f"PRAGMA user_version = {int(self.compacted)}")  # a pragma takes no parameter
        self._db.execute("COMMIT")

    def since(self, revision: int, kind: Kind) -> list[Change] | None:
        """The changes of a kind after a revision; None where history no longer reaches back that far."""
        if revision < self.compacted:
            return None
        return [change for change in self._history if change.revision > revision and change.kind == kind]

    def at(self, kind: Kind, namespace: str | None, revision: int) -> list[Obj] | None:
        """All objects of a kind as they were at a revision; None where history does not reach back that far."""
        if revision < self.compacted:
            return None
        found = dict(self._objects[kind])
        for change in reversed(self._history):
            if change.revision <= revision:
                break
            if change.kind != kind:
                continue
            if change.previous is None:
                found.pop(key_of(change.obj), None)
            else:
                found[key_of(change.obj)] = change.previous
        return [found[key] for key in sorted(found) if namespace is None or key[0] == namespace]

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` with every change from now on; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def close(self) -> None:
        self._db.close()
