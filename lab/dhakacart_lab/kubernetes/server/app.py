# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP application: from a request's path and verb to the registry, the store and back."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from ...layout import Layout
from ..errors import ApiError, bad_request, no_such_path
from ..kinds import Kind, Obj
from ..metrics import api as metrics
from ..registry import Registry
from . import auth, discovery, exec, kubelets, logs, views
from .actions import Actions, Target, not_allowed, parse
from .encoding import ListEncoder
from .watching import Watches

LOG = logging.getLogger(__name__)
MAX_BODY = 3 * 1024 * 1024  # bytes, as a real server's
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Application:
    """The handlers and what they share."""

    def __init__(self, layout: Layout, registry: Registry, measured: metrics.MetricsApi) -> None:
        self._layout = layout
        self._measured = measured
        self._registry = registry
        self._store = registry.store
        self._actions = Actions(registry)
        self._encoder = ListEncoder()
        self.watches = Watches(self._store)

    def build(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_errors])
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.cleanup_ctx.append(kubelets.session(self._layout))
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        who = auth.user(request.headers.get("Authorization", ""), self._layout.secret)
        if asked := metrics.target(path):
            return self._metrics(who, path, asked, request)
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
                raise not_allowed()
            return await logs.serve(request, self._store, target.namespace, target.name)
        if target.subresource == "exec":
            if verb not in ("get", "create"):
                raise not_allowed()
            return await exec.serve(request, self._store, target.namespace, target.name)
        view = views.chosen(request.headers.get("Accept", ""), listed=verb == "list")
        outcome = self._actions.act(verb, target, request, await request.read())
        rendered = views.render(outcome.body, target.kind, view, request.query)
        if verb == "list" and not view.form:
            response = web.Response(body=self._encoder.encode(rendered), content_type="application/json")
        else:
            response = _json(rendered, outcome.code)
        for warning in outcome.warnings:
            response.headers.add("Warning", f"299 - {json.dumps(warning)}")
        return response

    def _metrics(self, who: str, path: str, asked: tuple[Kind, str, str], request: web.Request) -> web.StreamResponse:
        kind, namespace, name = asked
        if request.method != "GET":
            raise not_allowed()
        auth.authorize(who, "get" if name else "list", kind, namespace, name, "")
        return _json(self._measured.answer(path, request.query))

    @staticmethod
    def _verb(request: web.Request, target: Target) -> str:
        verb = VERBS.get(request.method)
        if verb is None:
            raise not_allowed()
        if verb == "get" and not target.name and request.query.get("watch") in ("true", "1"):
            return "watch"  # real: of one object by its name, the parameter is left unread
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
        if found is None and (
            parts[0] not in ("api", "apis") or (parts[0] == "apis" and not discovery.group(parts[1]))
        ):
            return web.Response(text="404 page not found\n", status=404)  # real: what no handler is for is no Status
        if found is None:
            raise no_such_path()
        if request.method != "GET":
            raise not_allowed()
        return _json(found)


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
