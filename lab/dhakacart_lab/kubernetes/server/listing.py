# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: selectors, pages that stay consistent with the first one, and refusals of old revisions."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from ..errors import ApiError, bad_request, expired, internal
from ..kinds import Kind, Obj, key_of
from ..label_selectors import label_predicate
from ..selectors import Predicate, field_predicate
from ..store import Store
from . import list_options

LATEST = -1  # the revision of a token that goes on with what there is now
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without"
    " the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
    " Continuing with the provided token results in an inconsistent list - objects that were created, modified, or"
    " deleted between the time the first chunk was returned and now may show up in the list."
)


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
        why = list_options.not_a_version(text)
        raise internal(why) if query.get("watch") else bad_request(f"invalid resource version: {why}")
    return int(text)


def too_large(asked: int, current: int) -> ApiError:
    text = f"Timeout: Too large resource version: {asked}, current: {current}"
    causes = [("", "ResourceVersionTooLarge", "Too large resource version")]
    return ApiError(504, "Timeout", text, causes=causes, retry_after=1)


def bare(obj: Obj) -> Obj:
    """An item of a list: the list says of which kind it is."""
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


class Lists:
    """Answers list requests; a further page shows the objects as they were at the first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, kind: Kind, namespace: str | None, query: Mapping[str, str]) -> Obj:
        """The List object for a GET on a collection."""
        list_options.check(query, watching=False)
        try:
            limit = int(query.get("limit") or 0)
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{query["limit"]}": invalid syntax') from None
        after: tuple[str, str] | None = None
        if token := query.get("continue"):
            if query.get("resourceVersion", "0") != "0":
                raise bad_request("specifying resource version is not allowed when using continue")
            revision, after = _read_token(token, namespace)
            present = self._resumed(kind, namespace, revision, after)
            revision = self._store.revision if revision == LATEST else revision
        else:
            revision, present = self._begun(kind, namespace, query)
        test = selection(kind, query)
        items = [obj for obj in present if (after is None or key_of(obj) > after) and (test is None or test(obj))]
        meta: Obj = {"resourceVersion": str(revision)}
        if limit > 0 and len(items) > limit:
            meta["continue"] = _token(revision, namespace, key_of(items[limit - 1]))
            if test is None:
                meta["remainingItemCount"] = len(items) - limit
            items = items[:limit]
        page = [bare(obj) for obj in items]
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": page}

    def _begun(self, kind: Kind, namespace: str | None, query: Mapping[str, str]) -> tuple[int, list[Obj]]:
        asked = revision_asked(query)
        if asked is not None and asked > self._store.revision:
            raise too_large(asked, self._store.revision)
        if query.get("resourceVersionMatch") != "Exact" or asked is None:
            return self._store.revision, self._store.all(kind, namespace)
        found = self._store.at(kind, namespace, asked)
        if found is None:
            raise expired("The resourceVersion for the provided list is too old.")
        return asked, found

    def _resumed(self, kind: Kind, namespace: str | None, revision: int, after: tuple[str, str]) -> list[Obj]:
        """The objects at the revision of the first page; ApiError 410 where history no longer reaches back to it."""
        if revision == LATEST:
            return self._store.all(kind, namespace)
        found = self._store.at(kind, namespace, revision)
        if found is None:
            error = expired(TOO_OLD)
            error.meta["continue"] = _token(LATEST, namespace, after)
            raise error
        return found


def _token(revision: int, namespace: str | None, last: tuple[str, str]) -> str:
    start = f"{last[0]}/{last[1]}" if namespace is None and last[0] else f"/{last[1]}"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": f"{start}\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str, namespace: str | None) -> tuple[int, tuple[str, str]]:
    """(revision, the key after which the page begins)."""
    refusal = "invalid continue token: continue key is not valid:"
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        text = b""
    if not text:
        raise bad_request(f"{refusal} illegal base64 data at input byte 0")
    try:
        found = json.loads(text)
        home, _, name = str(found["start"]).rstrip("\0").rpartition("/")
        return int(found["rv"]), (home or namespace or "", name)
    except (ValueError, TypeError, KeyError) as error:
        raise bad_request(f"{refusal} {error}") from None
