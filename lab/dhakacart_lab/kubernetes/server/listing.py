# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: selectors, pages that stay consistent with the first one, and refusals of old revisions."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import OrderedDict
from collections.abc import Mapping

from ..errors import ApiError, bad_request, expired
from ..kinds import Kind, Obj
from ..selectors import Predicate, field_predicate, label_predicate
from ..store import Store

PAGES_KEPT = 64  # lists under way; objects are shared, so one costs a list of references
PAGE_LIFE = 300.0  # seconds, as etcd's compaction interval bounds a real continue token


def selection(kind: Kind, query: Mapping[str, str]) -> Predicate | None:
    """The test that the query's selectors stand for; None where there are none."""
    tests: list[Predicate] = []
    if text := query.get("labelSelector"):
        tests.append(label_predicate(text))
    if text := query.get("fieldSelector"):
        tests.append(field_predicate(kind, text))
    return (lambda obj: all(test(obj) for test in tests)) if tests else None


def revision_asked(query: Mapping[str, str]) -> int | None:
    """The resourceVersion of a query as a number; ApiError 400 for one that is none."""
    text = query.get("resourceVersion", "")
    if not text:
        return None
    if not text.isdigit():
        raise ApiError(400, "BadRequest", f'invalid resource version: "{text}"')
    return int(text)


def too_large(asked: int, current: int) -> ApiError:
    return ApiError(504, "Timeout", f"Too large resource version: {asked}, current: {current}", retry_after=1)


class Lists:
    """Answers list requests; remembers those of which the next page may be asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: OrderedDict[int, tuple[float, str, list[Obj]]] = OrderedDict()
        self._next_id = int(time.time())  # not one that a page of before a restart could carry

    def answer(self, kind: Kind, namespace: str | None, query: Mapping[str, str]) -> Obj:
        """The List object for a GET on a collection."""
        try:
            limit = int(query.get("limit") or 0)
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{query["limit"]}": invalid syntax') from None
        if token := query.get("continue"):
            revision, list_id, start = _read_token(token)
            items = self._resume(list_id)
        else:
            asked = revision_asked(query)
            if asked is not None and asked > self._store.revision:
                raise too_large(asked, self._store.revision)
            if query.get("resourceVersionMatch") == "Exact" and asked != self._store.revision:
                raise expired("The resourceVersion for the provided list is too old.")
            test = selection(kind, query)
            items = [obj for obj in self._store.all(kind, namespace) if test is None or test(obj)]
            revision, list_id, start = self._store.revision, 0, 0
        meta: Obj = {"resourceVersion": str(revision)}
        page = items[start:]
        if limit and len(page) > limit:
            page = page[:limit]
            list_id = list_id or self._keep(kind, items)
            meta["continue"] = _token(revision, list_id, start + limit)
            if not query.get("labelSelector") and not query.get("fieldSelector"):
                meta["remainingItemCount"] = len(items) - start - limit
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": page}

    def _keep(self, kind: Kind, items: list[Obj]) -> int:
        self._next_id += 1
        self._open[self._next_id] = (time.monotonic(), kind.plural, items)
        while len(self._open) > PAGES_KEPT:
            self._open.popitem(last=False)
        return self._next_id

    def _resume(self, list_id: int) -> list[Obj]:
        found = self._open.get(list_id)
        if found is None or time.monotonic() - found[0] > PAGE_LIFE:
            self._open.pop(list_id, None)
            raise expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new"
                " list without the continue parameter."
            )
        return found[2]


def _token(revision: int, list_id: int, start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([revision, list_id, start]).encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, int, int]:
    try:
        revision, list_id, start = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(revision), int(list_id), int(start)
    except (ValueError, TypeError, binascii.Error):
        raise bad_request("continue key is not valid: illegal base64 data") from None
