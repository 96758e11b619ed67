# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP application: from a request's path and verb to the registry, the store and back."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from ...layout import Layout
from .. import subresources
from ..errors import ApiError, bad_request, no_such_path, success
from ..kinds import BY_PATH, Kind, Obj
from ..registry import RETURNS_OBJECT, DeleteOptions, Registry
from . import auth, discovery, logs
from .listing import Lists, selection
from .watching import Watches

LOG = logging.getLogger(__name__)
MAX_BODY = 3 * 1024 * 1024  # bytes, as a real server's
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Target:
    """What a path names. ``namespace`` "" is all namespaces, or a kind that has none."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


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
    kind = BY_PATH.get((group, version, rest[0]))
    if kind is None or len(rest) > 3 or (namespace and not kind.namespaced):
        return None
    name, subresource = [*rest, "", ""][1:3]
    if (name and kind.namespaced and not namespace) or (subresource and subresource not in kind.subresources):
        return None
    return Target(kind, namespace, name, subresource)


class Application:
    """The handlers and what they share."""

    def __init__(self, layout: Layout, registry: Registry) -> None:
        self._layout = layout
        self._registry = registry
        self._store = registry.store
        self._lists = Lists(self._store)
        self.watches = Watches(self._store)

    def build(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_errors])
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.cleanup_ctx.append(_client_session)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        who = auth.user(request.headers.get("Authorization", ""), self._layout.secret)
        target = parse(path)
        if target is None:
            auth.authorize_path(who, path)
            return self._discover(path, request)
        verb = self._verb(request, target)
        auth.authorize(who, verb, target.kind, target.namespace, target.name, target.subresource)
        if verb == "watch":
            query = dict(request.query)
            if target.name:
                query["fieldSelector"] = f"metadata.name={target.name}"
            return await self.watches.serve(request, target.kind, target.namespace or None, query)
        if target.subresource == "log":
            if verb != "get":
                raise _not_allowed()
            token = self._layout.secret("kube-admin-token")
            return await logs.serve(request, self._store, target.namespace, target.name, token)
        code, answer = self._act(verb, target, request, await _body(request))
        return _json(answer, code)

    @staticmethod
    def _verb(request: web.Request, target: Target) -> str:
        verb = VERBS.get(request.method)
        if verb is None:
            raise _not_allowed()
        if verb == "get" and request.query.get("watch") in ("true", "1"):
            return "watch"
        if not target.name and verb in ("get", "delete"):
            return {"get": "list", "delete": "deletecollection"}[verb]
        return verb

    def _discover(self, path: str, request: web.Request) -> web.Response:
        parts = path.strip("/").split("/")
        found: Obj | None = None
        match parts:
            case ["version"]:
                found = discovery.version()
            case ["healthz"] | ["livez"] | ["readyz"]:
                return web.Response(text="ok")
            case ["api"]:
                found = discovery.core_versions(request.host)
            case ["api", version]:
                found = discovery.resources("", version)
            case ["apis"]:
                found = discovery.groups()
            case ["apis", group]:
                found = discovery.group(group)
            case ["apis", group, version]:
                found = discovery.resources(group, version)
        if found is None:
            raise no_such_path()
        if request.method != "GET":
            raise _not_allowed()
        return _json(found)

    def _act(self, verb: str, target: Target, request: web.Request, body: Any) -> tuple[int, Obj]:
        kind, namespace, name = target.kind, target.namespace, target.name
        dry_run = _dry_run(request, body)
        if target.subresource and target.subresource != "status":
            return self._subresource(verb, target, request, body, dry_run)
        match verb:
            case "list":
                return 200, self._lists.answer(kind, namespace or None, request.query)
            case "get":
                return 200, self._registry.get(kind, namespace, name)
            case "create" if not name and (namespace or not kind.namespaced):
                return 201, self._registry.create(kind, namespace, body, dry_run=dry_run)
            case "update" if name:
                sub = target.subresource or None
                return 200, self._registry.update(kind, namespace, name, body, subresource=sub, dry_run=dry_run)
            case "patch" if name:
                sub = target.subresource or None
                patched = self._registry.patch(
                    kind, namespace, name, body, request.content_type, subresource=sub, dry_run=dry_run
                )
                return 200, patched
            case "delete" if not target.subresource:
                options = _delete_options(request, body)
                last, gone = self._registry.delete(kind, namespace, name, options, dry_run=dry_run)
                return 200, (last if not gone or kind in RETURNS_OBJECT else success(kind, last))
            case "deletecollection" if namespace or not kind.namespaced:
                return 200, self._delete_collection(target, request, body, dry_run)
            case _:
                raise _not_allowed()

    def _delete_collection(self, target: Target, request: web.Request, body: Any, dry_run: bool) -> Obj:
        kind, options = target.kind, _delete_options(request, body)
        test = selection(kind, request.query)
        chosen = [obj for obj in self._store.all(kind, target.namespace or None) if test is None or test(obj)]
        for obj in chosen:
            meta = obj["metadata"]
            self._registry.delete(kind, meta.get("namespace", ""), meta["name"], options, dry_run=dry_run)
        meta = {"resourceVersion": str(self._store.revision)}
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": chosen}

    def _subresource(
        self, verb: str, target: Target, request: web.Request, body: Any, dry_run: bool
    ) -> tuple[int, Obj]:
        kind, namespace, name = target.kind, target.namespace, target.name
        match target.subresource, verb:
            case "scale", "get":
                return 200, subresources.scale_of(self._registry.get(kind, namespace, name))
            case "scale", ("update" | "patch"):
                content_type = request.content_type if verb == "patch" else None
                return 200, subresources.write_scale(
                    self._registry, kind, namespace, name, body, content_type, dry_run=dry_run
                )
            case "eviction", "create":
                return 201, subresources.evict(self._registry, namespace, name, body, dry_run=dry_run)
            case "finalize", "update":
                return 200, self._registry.update(kind, namespace, name, body, dry_run=dry_run)
            case _:
                raise _not_allowed()


def _dry_run(request: web.Request, body: Any) -> bool:
    asked = request.query.getall("dryRun", [])
    if isinstance(body, dict):
        options = body.get("deleteOptions") if body.get("kind") == "Eviction" else body
        if isinstance(options, dict) and (body.get("kind") in ("DeleteOptions", "Eviction")):
            asked = asked + list(options.get("dryRun") or [])
    if any(value != "All" for value in asked):
        raise ApiError(422, "Invalid", f'DryRun: Unsupported value: "{asked[0]}": supported values: "All"')
    return bool(asked)


def _delete_options(request: web.Request, body: Any) -> DeleteOptions:
    options = dict(body) if isinstance(body, dict) else {}
    if policy := request.query.get("propagationPolicy"):
        options["propagationPolicy"] = policy
    if (grace := request.query.get("gracePeriodSeconds")) is not None:
        options["gracePeriodSeconds"] = int(grace) if grace.isdigit() else grace
    return subresources.delete_options(options)


def _not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    if not raw:
        return None
    declared = request.headers.get("Content-Type")  # real: a body that does not say what it is counts as JSON
    if declared and not request.content_type.endswith("json") and request.method != "PATCH":
        raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media"
                       " types include: application/json")  # fmt: skip
    if request.content_type.endswith("yaml"):
        return None  # a patch type that is refused by its name
    try:
        return json.loads(raw)
    except ValueError as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from None


def _json(body: Obj, code: int = 200) -> web.Response:
    text = json.dumps(body, separators=(",", ":"))
    return web.Response(body=text.encode(), status=code, content_type="application/json")


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return _error(error)
    except web.HTTPRequestEntityTooLarge:
        return _error(ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # a body of a shape no check foresaw; the state is unharmed, since a write is the last thing that happens.
        LOG.exception("%s %s", request.method, request.path)
        return _error(bad_request(f"the object provided cannot be handled: {type(error).__name__}: {error}"))


def _error(error: ApiError) -> web.Response:
    response = _json(error.status(), error.code)
    if "retryAfterSeconds" in error.details:
        response.headers["Retry-After"] = str(error.details["retryAfterSeconds"])
    return response


async def _client_session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        app[logs.SESSION] = session
        yield
