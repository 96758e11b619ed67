# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side of the load balancer."""

from __future__ import annotations

import logging

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from .targets import Targets

TARGET_SECONDS = 10.0
# Shorter than any target keeps an idle connection, so that a request is not sent into one that is being closed.
KEEPALIVE_SECONDS = 5.0
HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        # not hop by hop, but set anew for each hop
        "content-length",
        "host",
    )
)

log = logging.getLogger(__name__)


class Proxy:
    """Sends each request to the target whose turn it is: 503 without targets, 502 for a target that refuses or breaks
    the connection, 504 for one that says nothing in time. Only GET and HEAD are tried at a second target:
    any other request may have been carried out before the connection broke."""

    def __init__(self, targets: Targets, source: str, target_seconds: float = TARGET_SECONDS) -> None:
        self._targets = targets
        self._source = source
        self._target_seconds = target_seconds
        self._session: aiohttp.ClientSession | None = None

    async def start(self, _app: web.Application) -> None:
        """Open the sessions to the targets; they see the load balancer's own address, as behind a real one."""
        connector = aiohttp.TCPConnector(
            limit=0, keepalive_timeout=KEEPALIVE_SECONDS, local_addr=(self._source, 0), use_dns_cache=False
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._target_seconds),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self, _app: web.Application) -> None:
        if self._session:
            await self._session.close()

    async def status(self, _request: web.Request) -> web.Response:
        """``/lb/targets``: the targets, when the API last named them (epoch seconds), what is wrong with the API."""
        targets = self._targets
        return web.json_response({"targets": targets.ready, "synced_at": targets.synced_at, "error": targets.error})

    async def forward(self, request: web.Request) -> web.Response:
        target = self._targets.next()
        if target is None:
            return web.json_response({"error": "no healthy targets"}, status=503)
        body = await request.read()
        for tries_left in (1, 0) if request.method in ("GET", "HEAD") else (0,):
            try:
                return await self._send(request, body, target)
            except TimeoutError:
                return _gateway(504, target, f"no answer within {self._target_seconds:g} s")
            except aiohttp.ClientError as error:
                why = f"{type(error).__name__}: {error}"
            other = self._targets.next(other_than=target) if tries_left else None
            if other is None:
                break
            target = other
        return _gateway(502, target, why)

    async def _send(self, request: web.Request, body: bytes, target: str) -> web.Response:
        assert self._session is not None  # on_startup ran before the first request
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP
        )
        seen = request.headers.get("x-forwarded-for")
        headers["x-forwarded-for"] = f"{seen}, {request.remote}" if seen else str(request.remote)
        headers["x-forwarded-proto"] = "http"
        headers["host"] = request.host
        url = URL(f"http://{target}{request.raw_path}", encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=body or None, allow_redirects=False
        ) as found:
            content = await found.read()
            kept = CIMultiDict((name, value) for name, value in found.headers.items() if name.lower() not in HOP_BY_HOP)
            return web.Response(status=found.status, body=content, headers=kept)


def _gateway(status: int, target: str, why: str) -> web.Response:
    log.warning("%d: target %s: %s", status, target, why)
    return web.json_response({"error": "bad gateway" if status == 502 else "gateway timeout"}, status=status)


def application(targets: Targets, source: str, target_seconds: float = TARGET_SECONDS) -> web.Application:
    """The load balancer's routes; ``source`` is the address it calls targets from."""
    proxy = Proxy(targets, source, target_seconds)
    app = web.Application(client_max_size=1024 * 1024)
    app.on_startup.append(proxy.start)
    app.on_cleanup.append(proxy.stop)
    app.add_routes([web.get("/lb/targets", proxy.status), web.route("*", "/{path:.*}", proxy.forward)])
    return app
