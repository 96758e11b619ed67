# SPDX-License-Identifier: GPL-3.0-or-later
"""A small asynchronous client of any API server, from a kubeconfig: the kubelet's only way to the cluster."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from ..layout import LabError
from .errors import ApiError
from .kinds import Kind, Obj
from .registry import STRATEGIC_PATCH

LOG = logging.getLogger(__name__)
TIMEOUT = 10.0  # seconds a request may take
WATCH_LIFE = 300  # seconds after which a watch is asked anew


@dataclass(frozen=True)
class Access:
    """Where the API server is and how to be known to it."""

    server: str
    token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


def read_kubeconfig(path: Path, context: str | None = None) -> Access:
    """The access a kubeconfig describes; LabError for a file that describes none."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        chosen = _named(config["contexts"], context or config["current-context"])["context"]
        cluster = _named(config["clusters"], chosen["cluster"])["cluster"]
        user = _named(config["users"], chosen["user"])["user"]
        server = str(cluster["server"])
        tls = _tls(cluster, user, path.parent) if server.startswith("https") else None
        return Access(server.rstrip("/"), str(user.get("token", "")), tls)
    except FileNotFoundError:
        raise LabError(f"{path}: no kubeconfig; remedy: runbook lab up") from None
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise LabError(f"{path}: not a kubeconfig ({reason}); remedy: runbook lab up") from None


def _named(entries: list[Obj], name: str) -> Obj:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise KeyError(name)


def _tls(cluster: Obj, user: Obj, folder: Path) -> ssl.SSLContext:
    def material(owner: Obj, key: str) -> str | None:
        """PEM text of ``key``, embedded or in a file."""
        if data := owner.get(f"{key}-data"):
            return base64.b64decode(data).decode()
        return (folder / owner[key]).read_text(encoding="utf-8") if owner.get(key) else None

    context = ssl.create_default_context(cadata=material(cluster, "certificate-authority"))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate, private_key = material(user, "client-certificate"), material(user, "client-key")
    if certificate and private_key:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:  # ssl only reads files; this one is 0600
            pem.write(certificate + "\n" + private_key)
            pem.flush()
            context.load_cert_chain(pem.name)
    return context


class Client:
    """Requests to one API server. Raises ApiError for its refusals, aiohttp.ClientError or TimeoutError without it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
        connector = aiohttp.TCPConnector(ssl=access.tls) if access.tls else aiohttp.TCPConnector()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout)

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
                    LOG.warning("watch of %s: %s; again in %.1f s", kind.plural, error or type(error).__name__, pause)
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
