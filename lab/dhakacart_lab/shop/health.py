# SPDX-License-Identifier: GPL-3.0-or-later
"""``/live``, ``/ready``, ``/health`` and ``/metrics``.

Faithful to the platform where it is odd: ``/ready`` ignores Redis; memory counts the heap twice (rss + heapUsed);
``/health`` is limited by the address of the peer, which behind the load balancer is the load balancer's own.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from .database import DatabaseUnavailable
from .web import CORRELATION_ID, SHOP, Shop, reply, timestamp

HEALTH_LIMIT = 60
HEALTH_WINDOW = 60.0
MEMORY_UNHEALTHY_PERCENT = 90
MIB = 1024 * 1024
PROC_STATUS = Path("/proc/self/status")


class RateLimiter:
    """At most ``limit`` requests of one client in a window of ``seconds`` that begins with its first request."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._windows: dict[str, tuple[float, int]] = {}

    def admit(self, client: str, now: float) -> float | None:
        """None when the request is admitted, else the seconds until the client's next window."""
        if len(self._windows) > 10_000:  # forget clients whose window is over
            self._windows = {name: found for name, found in self._windows.items() if now < found[0] + self._seconds}
        begin, count = self._windows.get(client, (now, 0))
        if now >= begin + self._seconds:
            begin, count = now, 0
        if count >= self._limit:
            return begin + self._seconds - now
        self._windows[client] = (begin, count + 1)
        return None


def routes() -> list[web.RouteDef]:
    limiter = RateLimiter(HEALTH_LIMIT, HEALTH_WINDOW)

    async def limited_health(request: web.Request) -> web.Response:
        wait = limiter.admit(request.remote or "", time.monotonic())
        return await health(request) if wait is None else _too_many(request, wait)

    return [
        web.get("/live", live),
        web.get("/ready", ready),
        web.get("/health", limited_health),
        web.get("/metrics", metrics),
    ]


async def live(request: web.Request) -> web.Response:
    return reply({"status": "alive", "timestamp": timestamp(), "correlationId": request[CORRELATION_ID]})


async def ready(request: web.Request) -> web.Response:
    shop = request.app[SHOP]
    error = "The server is shutting down" if shop.shutting_down else None
    reason = "shutting_down" if shop.shutting_down else "database_unavailable"
    if not shop.shutting_down:
        try:
            await shop.database.ping()
        except DatabaseUnavailable as failure:
            error = str(failure)
    body: dict[str, Any] = {
        "status": "not_ready" if error else "ready",
        "timestamp": timestamp(),
        "checks": {
            "database": "disconnected" if error and not shop.shutting_down else "connected",
            "shutdown": shop.shutting_down,
        },
    }
    if error is None:
        return reply(body)
    if shop.shutting_down:
        del body["checks"]["database"]  # not looked at
    return reply({**body, "reason": reason, "error": error}, 503)


async def health(request: web.Request) -> web.Response:
    shop, begin = request.app[SHOP], time.perf_counter()
    database, redis = await asyncio.gather(_database(shop), _redis(shop))
    memory = _memory(shop.settings.memory_limit_mb)
    statuses = {check["status"] for check in (database, redis, memory)}
    # As on the platform, where "degraded" is declared but no check can give it.
    status = "unhealthy" if "unhealthy" in statuses else "healthy"
    body = {
        "status": status,
        "timestamp": timestamp(),
        "uptime": _uptime(time.monotonic() - shop.started),
        "responseTime": _ms(begin),
        "version": shop.settings.version,
        "environment": shop.settings.environment,
        "correlationId": request[CORRELATION_ID],
        "checks": {"database": database, "redis": redis, "memory": memory},
    }
    return reply(body, 503 if status == "unhealthy" else 200)


async def metrics(request: web.Request) -> web.Response:
    body = request.app[SHOP].metrics.render()
    return web.Response(body=body, headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"})


def _too_many(request: web.Request, wait: float) -> web.Response:
    body = {"error": "Too many requests, please try again later", "correlationId": request[CORRELATION_ID]}
    response = reply(body, 429)
    response.headers["retry-after"] = str(int(wait) + 1)
    return response


async def _database(shop: Shop) -> dict[str, Any]:
    begin = time.perf_counter()
    details: dict[str, Any] = {"query": "SELECT 1", "timestamp": timestamp()}
    try:
        await shop.database.ping()
        status = "healthy"
    except DatabaseUnavailable as error:
        status, details["error"] = "unhealthy", str(error)
    pool = shop.database.stats()
    details |= {
        "totalConnections": pool["total"],
        "idleConnections": pool["idle"],
        "waitingClients": pool["waiting"],
    }
    return {"status": status, "responseTime": _ms(begin), "details": details}


async def _redis(shop: Shop) -> dict[str, Any]:
    status, message, seconds = await shop.cache.check()
    return {"status": status, "message": message, "responseTime": f"{round(seconds * 1000)}ms"}


def _memory(limit_mb: int) -> dict[str, Any]:
    """Python has no V8 heap: the anonymous resident memory stands for it, and nothing for the two others."""
    status = PROC_STATUS.read_text(encoding="ascii") if PROC_STATUS.exists() else ""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)

    def size(name: str) -> int:
        return int(fields.get(name, "0 kB").split()[0]) * 1024

    rss, heap = size("VmRSS"), size("RssAnon")
    total = (rss + heap) / MIB
    percent = total / limit_mb * 100
    return {
        "status": "unhealthy" if percent > MEMORY_UNHEALTHY_PERCENT else "healthy",
        "details": {
            "rss": rss,
            "heapTotal": heap,
            "heapUsed": heap,
            "external": 0,
            "arrayBuffers": 0,
            "totalMB": round(total, 2),
            "limitMB": limit_mb,
            "usagePercent": round(percent, 2),
        },
    }


def _uptime(seconds: float) -> dict[str, Any]:
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60
    return {
        "milliseconds": int(seconds * 1000),
        "seconds": whole,
        "minutes": minutes,
        "hours": hours,
        "formatted": f"{hours}h {minutes % 60}m {whole % 60}s",
    }


def _ms(begin: float) -> int:
    return round((time.perf_counter() - begin) * 1000)
