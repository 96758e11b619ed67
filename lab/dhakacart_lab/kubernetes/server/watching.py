# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches: what changed after a revision, then what changes, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping

from aiohttp import web

from ..errors import bad_request, expired
from ..kinds import Kind, Obj
from ..selectors import Predicate
from ..store import Change, Store
from . import list_options
from .listing import revision_asked, selection, too_large

BOOKMARK_PERIOD = 60.0  # seconds; as often as a real server sends them
BACKLOG = 20_000  # changes a slow reader may lag behind before he is cut off


class Watches:
    """All open watches of the server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tasks: set[asyncio.Task[object]] = set()

    def end(self) -> None:
        """Cut every watch off; clients resume at the revision they know."""
        for task in tuple(self._tasks):
            task.cancel()

    async def serve(
        self, request: web.Request, kind: Kind, namespace: str | None, query: Mapping[str, str]
    ) -> web.StreamResponse:
        list_options.check(query, watching=True)
        test = selection(kind, query)
        initial = query.get("sendInitialEvents") in ("true", "1")
        asked = revision_asked(query)
        try:
            duration = float(query.get("timeoutSeconds") or random.uniform(1800, 3600))
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{query["timeoutSeconds"]}": invalid syntax') from None
        if asked is not None and asked > self._store.revision:
            raise too_large(asked, self._store.revision)
        queue: asyncio.Queue[Change] = asyncio.Queue()
        unsubscribe = self._store.subscribe(
            lambda change: queue.put_nowait(change) if change.kind == kind and _inside(change, namespace) else None
        )
        # no await between the subscription and this reading: nothing is missed and nothing comes twice.
        begin: list[Obj] = []
        if asked and not initial:
            changes = self._store.since(asked, kind)
            if changes is None:
                error = expired(f"too old resource version: {asked} ({self._store.compacted})")
                begin.append({"type": "ERROR", "object": error.status()})
            else:
                begin += [event for change in changes if _inside(change, namespace) if (event := _event(change, test))]
        else:
            objects = self._store.all(kind, namespace)
            begin += [{"type": "ADDED", "object": obj} for obj in objects if test is None or test(obj)]
            if initial and query.get("allowWatchBookmarks") in ("true", "1"):
                mark = _bookmark(kind, self._store)
                mark["object"]["metadata"]["annotations"] = {"k8s.io/initial-events-end": "true"}
                begin.append(mark)
        over = bool(begin) and begin[-1]["type"] == "ERROR"
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            await _send(response, begin)
            if not over:
                bookmarks = (kind, self._store) if query.get("allowWatchBookmarks") in ("true", "1") else None
                await _follow(response, queue, test, duration, bookmarks)
            await response.write_eof()
        except ConnectionError:
            pass  # the reader went away
        finally:
            unsubscribe()
            self._tasks.discard(task)
        return response


async def _follow(
    response: web.StreamResponse,
    queue: asyncio.Queue[Change],
    test: Predicate | None,
    duration: float,
    bookmarks: tuple[Kind, Store] | None,
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + duration
    while (left := deadline - loop.time()) > 0 and queue.qsize() < BACKLOG:
        try:
            changes = [await asyncio.wait_for(queue.get(), min(left, BOOKMARK_PERIOD) if bookmarks else left)]
        except TimeoutError:
            if bookmarks and deadline - loop.time() > 0:
                kind, store = bookmarks
                await _send(response, [_bookmark(kind, store)])
            continue
        while not queue.empty():
            changes.append(queue.get_nowait())
        await _send(response, [event for change in changes if (event := _event(change, test))])


def _bookmark(kind: Kind, store: Store) -> Obj:
    empty = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {"resourceVersion": str(store.revision)}}
    return {"type": "BOOKMARK", "object": empty}


async def _send(response: web.StreamResponse, events: list[Obj]) -> None:
    if events:
        await response.write("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events).encode())


def _inside(change: Change, namespace: str | None) -> bool:
    return namespace is None or change.obj["metadata"].get("namespace") == namespace


def _event(change: Change, test: Predicate | None) -> Obj | None:
    """The event a watcher sees: an object that starts to match is ADDED to him, one that ceases to is DELETED."""
    if test is None:
        return {"type": change.type, "object": change.obj}
    matched = change.previous is not None and test(change.previous)
    if change.type == "DELETED":
        return {"type": "DELETED", "object": change.obj} if matched else None
    matches = test(change.obj)
    if matches:
        return {"type": "MODIFIED" if matched else "ADDED", "object": change.obj}
    if matched:
        assert change.previous is not None
        version = {"resourceVersion": str(change.revision)}
        last = {**change.previous, "metadata": {**change.previous["metadata"], **version}}
        return {"type": "DELETED", "object": last}
    return None
