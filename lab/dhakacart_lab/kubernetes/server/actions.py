# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request on a resource does: reads, writes and the subresources that are answered in one JSON object."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from .. import subresources
from ..errors import ApiError, bad_request, invalid, success
from ..kinds import (
    BY_PATH,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ENDPOINTS,
    EVENT,
    LEASE,
    NAMESPACE,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    Kind,
    Obj,
)
from ..registry import APPLY_PATCH, RETURNS_OBJECT, DeleteOptions, Registry
from . import bodies, events, options
from .bodies import Checker
from .listing import Lists, bare, revision_asked, selection

PROTECTED = ("default", "kube-system", "kube-public")
SCALE = Kind("autoscaling", "v1", "Scale", "scales")
# Real: a PUT of one that is not there makes it.
CREATED_BY_PUT = (LEASE, SERVICE, ENDPOINTS, EVENT, ROLE, ROLE_BINDING, CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
EVICTION = Kind("policy", "v1", "Eviction", "evictions")


@dataclass(frozen=True)
class Target:
    """What a path names. ``namespace`` "" is all namespaces, or a kind that has none."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


@dataclass
class Outcome:
    """An answer: HTTP code, object, and what the client is warned of."""

    code: int
    body: Obj
    warnings: list[str] = field(default_factory=list)


def parse(path: str) -> Target | None:
    """The target of an API path; None where the path is not a resource's."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and (group or rest[2] not in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    modern = (group, version, rest[0]) == ("events.k8s.io", "v1", "events")
    kind = events.MODERN if modern else BY_PATH.get((group, version, rest[0]))
    if kind is None or len(rest) > 3 or (namespace and not kind.namespaced):
        return None
    name, subresource = [*rest, "", ""][1:3]
    if (name and kind.namespaced and not namespace) or (subresource and subresource not in kind.subresources):
        return None
    return Target(kind, namespace, name, subresource)


def not_allowed() -> ApiError:
    text = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", text, empty_details=True)


class Actions:
    """The verbs on resources."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._lists = Lists(registry.store)

    def act(self, verb: str, target: Target, request: web.Request, raw: bytes) -> Outcome:
        """Do it; ApiError for a refusal."""
        kind, namespace, name = target.kind, target.namespace, target.name
        if kind == events.MODERN:
            return self._modern_event(verb, target, request, raw)
        if target.subresource and target.subresource != "status":
            return self._subresource(verb, target, request, raw)
        match verb:
            case "list":
                return Outcome(200, self._lists.answer(kind, namespace or None, request.query))
            case "get":
                revision_asked({**request.query, "watch": "one object"})
                return Outcome(200, self._registry.get(kind, namespace, name))
            case "create" if not name and (namespace or not kind.namespaced):
                return self._create(target, request, raw)
            case "update" if name:
                return self._update(target, request, raw)
            case "patch" if name:
                return self._patch(target, request, raw)
            case "delete" if not target.subresource:
                if kind == NAMESPACE and name in PROTECTED:
                    text = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
                    raise ApiError(403, "Forbidden", text, kind=kind, name=name)
                chosen, dry_run = self._deletion(request, raw)
                last, gone = self._registry.delete(kind, namespace, name, chosen, dry_run=dry_run)
                return Outcome(200, last if not gone or kind in RETURNS_OBJECT else success(kind, last))
            case "deletecollection" if namespace or (not kind.namespaced and kind.plural != "namespaces"):
                return Outcome(200, self._delete_collection(target, request, raw))
            case _:
                raise not_allowed()

    def _modern_event(self, verb: str, target: Target, request: web.Request, raw: bytes) -> Outcome:
        if verb in ("get", "list", "delete", "deletecollection"):
            found = self.act(verb, replace(target, kind=EVENT), request, raw)
            return found if found.body["kind"] == "Status" else Outcome(found.code, events.modern(found.body))
        if verb != "create" or target.name or not target.namespace:
            raise not_allowed()
        asked = options.read(request, "create", "", request.content_type)
        checker = Checker(events.MODERN, asked.validation)
        body = bodies.parse_object(raw, request, checker)
        if problems := events.problems(body):
            raise invalid(EVENT, (body.get("metadata") or {}).get("name", ""), problems)
        made = self._registry.create(
            EVENT, target.namespace, events.core(body), dry_run=asked.dry_run, manager=asked.manager
        )
        return Outcome(201, events.modern(made), checker.warnings)

    def _create(self, target: Target, request: web.Request, raw: bytes) -> Outcome:
        asked = options.read(request, "create", "", request.content_type)
        checker = Checker(target.kind, asked.validation)
        body = bodies.parse_object(raw, request, checker)
        made = self._registry.create(target.kind, target.namespace, body, dry_run=asked.dry_run, manager=asked.manager)
        return Outcome(201, made, checker.warnings)

    def _update(self, target: Target, request: web.Request, raw: bytes) -> Outcome:
        asked = options.read(request, "update", target.subresource, request.content_type)
        checker = Checker(target.kind, asked.validation)
        body = bodies.parse_object(raw, request, checker)
        if not (body.get("metadata") or {}).get("name"):
            text = f"the name of the object ({target.name} based on URL) was undeterminable: name must be provided"
            raise bad_request(text)
        sub = target.subresource or None
        store = self._store
        if not sub and target.kind in CREATED_BY_PUT and not store.get(target.kind, target.namespace, target.name):
            made = self._registry.create(
                target.kind, target.namespace, body, dry_run=asked.dry_run, manager=asked.manager
            )
            return Outcome(201, made, checker.warnings)
        found = self._registry.update(
            target.kind, target.namespace, target.name, body,
            subresource=sub if sub == "status" else None, dry_run=asked.dry_run, manager=asked.manager,
        )  # fmt: skip
        return Outcome(200, found, checker.warnings)

    def _patch(self, target: Target, request: web.Request, raw: bytes) -> Outcome:
        kind, namespace, name = target.kind, target.namespace, target.name
        document = bodies.parse_patch(raw, request.content_type)
        asked = options.read(request, "patch", target.subresource, request.content_type)
        if request.content_type == APPLY_PATCH:
            found, new = self._registry.apply(
                kind, namespace, name, document, asked.manager, force=asked.force, dry_run=asked.dry_run
            )
            return Outcome(201 if new else 200, found)
        checker = Checker(kind, asked.validation, name)
        found = self._registry.patch(
            kind, namespace, name, document, request.content_type, subresource=target.subresource or None,
            dry_run=asked.dry_run, manager=asked.manager, check=checker.patched,
        )  # fmt: skip
        return Outcome(200, found, checker.warnings)

    @staticmethod
    def _deletion(request: web.Request, raw: bytes) -> tuple[DeleteOptions, bool]:
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            raise bad_request("couldn't get version/kind; json parse error: unexpected end of JSON input") from None
        return options.deletion(request.query, request.query.getall("dryRun", []), body)

    def _delete_collection(self, target: Target, request: web.Request, raw: bytes) -> Obj:
        kind = target.kind
        asked, dry_run = self._deletion(request, raw)
        test = selection(kind, request.query)
        chosen = [obj for obj in self._store.all(kind, target.namespace or None) if test is None or test(obj)]
        for obj in chosen:
            meta = obj["metadata"]
            self._registry.delete(kind, meta.get("namespace", ""), meta["name"], asked, dry_run=dry_run)
        meta = {"resourceVersion": str(self._store.revision)}
        items = [bare(obj) for obj in chosen]
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": items}

    def _subresource(self, verb: str, target: Target, request: web.Request, raw: bytes) -> Outcome:
        kind, namespace, name = target.kind, target.namespace, target.name
        match target.subresource, verb:
            case "scale", "get":
                return Outcome(200, subresources.scale_of(self._registry.get(kind, namespace, name)))
            case "scale", ("update" | "patch"):
                return self._scale(verb, target, request, raw)
            case "eviction", "create":
                return self._evict(target, request, raw)
            case "finalize", "update":
                return self._update(target, request, raw)
            case _:
                raise not_allowed()

    def _scale(self, verb: str, target: Target, request: web.Request, raw: bytes) -> Outcome:
        kind, namespace, name = target.kind, target.namespace, target.name
        current = self._registry.get(kind, namespace, name)
        asked = options.read(request, verb, "scale", request.content_type)
        checker = Checker(SCALE, asked.validation, name)
        wanted: Any
        if verb == "update":
            wanted = bodies.parse_object(raw, request, checker)
        else:
            document = bodies.parse_patch(raw, request.content_type)
            wanted = subresources.patched_scale(current, document, request.content_type)
            wanted = checker.patched(wanted, document, request.content_type)
        given = (wanted.get("metadata") or {}).get("name") or name
        if given != name:
            raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if replicas < 0:
            text = f"Invalid value: {replicas}: must be greater than or equal to 0"
            raise invalid(SCALE, name, [("spec.replicas", "FieldValueInvalid", text)])
        found = subresources.write_scale(self._registry, kind, current, wanted, asked.manager, dry_run=asked.dry_run)
        return Outcome(200, found, checker.warnings)

    def _evict(self, target: Target, request: web.Request, raw: bytes) -> Outcome:
        checker = Checker(EVICTION, "Ignore")
        eviction = bodies.parse_object(raw, request, checker) if raw else {}
        given = (eviction.get("metadata") or {}).get("name", "")
        self._registry.get(target.kind, target.namespace, target.name)
        if given != target.name:
            raise bad_request("name in URL does not match name in Eviction object")
        dry_runs = request.query.getall("dryRun", [])
        chosen, dry_run = options.deletion({}, dry_runs, eviction.get("deleteOptions"))
        return Outcome(201, subresources.evict(self._registry, target.namespace, target.name, chosen, dry_run=dry_run))
