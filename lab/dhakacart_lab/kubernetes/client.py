# SPDX-License-Identifier: GPL-3.0-or-later
"""A small asynchronous client of any API server, from a kubeconfig: the kubelet's only way to the cluster."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from .access import Access
from .errors import ApiError
from .kinds import Kind, Obj
from .registry import STRATEGIC_PATCH

LOG = logging.getLogger(__name__)
TIMEOUT = 10.0  # seconds a request may take
WATCH_LIFE = 300  # seconds after which a watch is asked anew


class Client:
    """Requests to one API server. Raises ApiError for its refusals, aiohttp.ClientError or TimeoutError without it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        connector = aiohttp.TCPConnector(ssl=access.tls) if access.tls else aiohttp.TCPConnector()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        self._session = aiohttp.ClientSession(connector=connector, headers=access.headers, timeout=timeout)

    async def close(self) -> None:
        await self._session.close()

    async def request(
        self, method: str, path: str, body: Any = None, *, query: dict[str, str] | None = None, content_type: str = ""
    ) -> Obj:
        headers = {"Content-Type": content_type or "application/json", "Accept": "application/json"}
        data = None if body is None else json.dumps(body)
        url = self._access.server + path
        async with self._session.request(method, url, data=data, params=query, headers=headers) as answer:
            raw = await answer.read()
            if answer.status >= 400:
                raise _error(answer.status, raw)
            found: Obj = json.loads(raw)
            return found

    async def get(self, kind: Kind, namespace: str, name: str) -> Obj:
        return await self.request("GET", kind.path(namespace, name))

    async def create(self, kind: Kind, namespace: str, obj: Obj) -> Obj:
        typed = {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
        return await self.request("POST", kind.path(namespace), typed)

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Obj, subresource: str | None = None) -> Obj:
        """A strategic merge patch."""
        path = kind.path(namespace, name, subresource)
        return await self.request("PATCH", path, patch, content_type=STRATEGIC_PATCH)

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str, grace: int = 0) -> Obj:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": grace}
        return await self.request("DELETE", kind.path(namespace, name), {**options, "preconditions": {"uid": uid}})

    async def follow(
        self,
        kind: Kind,
        query: dict[str, str],
        listed: Callable[[list[Obj]], None],
        changed: Callable[[str, Obj], None],
    ) -> None:
        """List, then watch, for ever: ``listed`` gets every full list, ``changed`` each event's type and object."""
        pause = 0.2
        while True:
            try:
                first = await self.request("GET", kind.path(), query=query)
                listed([{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in first["items"]])
                revision: str = first["metadata"]["resourceVersion"]
                pause = 0.2
                while True:
                    async for event_type, obj in self._watch(kind, {**query, "resourceVersion": revision}):
                        revision = obj["metadata"]["resourceVersion"]
                        if event_type != "BOOKMARK":
                            changed(event_type, obj)
            except (ApiError, aiohttp.ClientError, TimeoutError, ValueError) as error:
                if getattr(error, "code", 0) != 410:
                    LOG.warning(
                        "watch of %s: %s; again in %.1f s", kind.plural, str(error) or type(error).__name__, pause
                    )
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)

    async def _watch(self, kind: Kind, query: dict[str, str]) -> AsyncIterator[tuple[str, Obj]]:
        query = {**query, "watch": "true", "timeoutSeconds": str(WATCH_LIFE), "allowWatchBookmarks": "true"}
        timeout = aiohttp.ClientTimeout(sock_connect=TIMEOUT, sock_read=WATCH_LIFE + TIMEOUT)
        url = self._access.server + kind.path()
        async with self._session.get(url, params=query, timeout=timeout) as answer:
            if answer.status >= 400:
                raise _error(answer.status, await answer.read())
            buffer = b""
            async for chunk in answer.content.iter_any():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise _error(event["object"].get("code", 500), json.dumps(event["object"]).encode())
                    yield event["type"], event["object"]


def _error(code: int, raw: bytes) -> ApiError:
    try:
        status = json.loads(raw)
        return ApiError(code, status.get("reason", ""), status.get("message", ""))
    except (ValueError, AttributeError):
        return ApiError(code, "Unknown", raw[:200].decode(errors="replace"))
