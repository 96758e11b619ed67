# SPDX-License-Identifier: GPL-3.0-or-later
"""The form in which a client wants an answer: whole objects, only their metadata, or a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ApiError
from ..kinds import Kind, Obj
from . import tables

FORMATS = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
LISTED = f"{FORMATS}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
META = "meta.k8s.io/v1"
PARTIAL, PARTIAL_LIST, TABLE = "PartialObjectMetadata", "PartialObjectMetadataList", "Table"


@dataclass(frozen=True)
class View:
    """``form``: "" for whole objects, or one of the names above."""

    form: str = ""


def chosen(accept: str, *, listed: bool) -> View:
    """The first form of an Accept header that can be served; ApiError 406 where there is none."""
    refused = False
    for entry in accept.split(",") if accept.strip() else ["*/*"]:
        media, *parameters = (part.strip() for part in entry.split(";"))
        if media not in ("application/json", "*/*", "application/*"):
            continue
        given = dict(part.split("=", 1) for part in parameters if "=" in part)
        form = given.get("as", "")
        if form in ("", PARTIAL, PARTIAL_LIST, TABLE) and (not form or given.get("g") == "meta.k8s.io"):
            return View(form)
        refused = True
    if refused:
        raise ApiError(406, "NotAcceptable", f"only the following media types are accepted: {FORMATS}")
    text = f"406: Not Acceptable\n\nAvailable representations: {LISTED if listed else FORMATS}"
    raise ApiError(406, "NotAcceptable", text, empty_details=True)


def render(body: Obj, kind: Kind, view: View, query: Mapping[str, str]) -> Obj:
    """An answer in the form asked for; a Status stays what it is."""
    if not view.form or body.get("kind") == "Status" or body.get("kind") not in (kind.kind, f"{kind.kind}List"):
        return body
    listed = body["kind"] != kind.kind
    group = "core" if not kind.group else kind.group.split(".")[0]
    if view.form == TABLE:
        return tables.table(kind, body, query.get("includeObject", "Metadata"))
    if view.form == PARTIAL_LIST:
        if not listed:
            raise _not_this(PARTIAL_LIST, f"is not a list (*{group}.{kind.kind})")
        return {**body, "kind": PARTIAL_LIST, "apiVersion": META, "items": [partial(item) for item in body["items"]]}
    if listed:
        raise _not_this(PARTIAL, f"is a list (*{group}.{kind.kind}List)")
    return partial(body)


def partial(obj: Obj) -> Obj:
    return {"kind": PARTIAL, "apiVersion": META, "metadata": obj["metadata"]}


def _not_this(form: str, why: str) -> ApiError:
    return ApiError(406, "NotAcceptable", f"you requested {form}, but the requested object {why}")
