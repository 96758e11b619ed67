# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's Redis cache. Losing it costs speed, never an answer.

As on the platform, a lost Redis is tried five times (1 s to 30 s apart, with jitter) and then given up until the
process restarts: after a long outage of Redis the pods must be restarted to cache again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .settings import Settings

PREFIX = "cache:"
PRODUCTS_TTL = 300
CART_TTL = 1800
ORDER_TTL = 3600
RECONNECT_TRIES = 5
RECONNECT_CAP = 30.0
DEADLINE = 1.0
NOT_CONFIGURED = "not_configured"

log = logging.getLogger(__name__)


class Cache:
    """JSON values under ``cache:<key>``. While Redis is away every read is a miss and every write is dropped."""

    def __init__(self, settings: Settings) -> None:
        self._redis: Redis | None = None
        self._connected = False
        self._tried = asyncio.Event()
        self._message = "not connected yet"
        self._task: asyncio.Task[None] | None = None
        if settings.redis_host:
            self._redis = Redis(
                host=settings.redis_host,
                port=settings.redis_port,
                password=settings.redis_password or None,
                socket_timeout=DEADLINE,
                socket_connect_timeout=DEADLINE,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                decode_responses=True,
            )

    async def open(self) -> None:
        """Try to connect once, at most DEADLINE seconds; the further tries go on in the background."""
        self._start()
        if self._redis:
            await self._tried.wait()

    def _start(self) -> None:
        if self._redis and (self._task is None or self._task.done()):
            self._connected = False
            self._task = asyncio.create_task(self._connect(self._redis))

    async def close(self) -> None:
        """End the background task and the connections."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._redis:
            with contextlib.suppress(RedisError, OSError):
                await self._redis.aclose()

    async def get(self, key: str) -> Any:
        """The value under ``key``, or None."""
        found = await self._do("GET", PREFIX + key)
        return json.loads(found) if isinstance(found, str) else None

    async def put(self, key: str, value: Any, seconds: int) -> None:
        """Keep a JSON-clean value for ``seconds``."""
        await self._do("SET", PREFIX + key, json.dumps(value), "EX", seconds)

    async def drop(self, *keys: str) -> None:
        """Forget values."""
        if keys:
            await self._do("DEL", *(PREFIX + key for key in keys))

    async def check(self) -> tuple[str, str, float]:
        """Status (healthy, unhealthy, not_configured), message and the seconds that a PING took."""
        if not self._redis:
            return NOT_CONFIGURED, "Redis is not configured", 0.0
        begin = time.perf_counter()
        if self._connected:
            await self._do("PING")
        status = "healthy" if self._connected else "unhealthy"
        return status, self._message, time.perf_counter() - begin

    async def _do(self, *command: str | int) -> object:
        if not (self._redis and self._connected):
            return None
        try:
            return await _execute(self._redis, *command)
        except (RedisError, OSError) as error:
            self._message = _text(error)
            log.error("Redis command failed", extra={"error": self._message})
            self._start()
            return None

    async def _connect(self, redis: Redis) -> None:
        for attempt in range(RECONNECT_TRIES + 1):
            try:
                await _execute(redis, "PING")
            except (RedisError, OSError) as error:
                self._message = _text(error)
                log.warning("Redis connection failed, attempt %d", attempt + 1, extra={"error": self._message})
            else:
                self._connected, self._message = True, "Redis connection is healthy"
                return
            finally:
                self._tried.set()
            if attempt < RECONNECT_TRIES:
                await asyncio.sleep(min(2.0**attempt, RECONNECT_CAP) * random.uniform(0.8, 1.2))
        log.error("Redis: given up after %d reconnect attempts, until this process restarts", RECONNECT_TRIES)


async def _execute(redis: Redis, *command: str | int) -> object:
    return cast(object, await redis.execute_command(*command))  # type: ignore[no-untyped-call]


def _text(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
