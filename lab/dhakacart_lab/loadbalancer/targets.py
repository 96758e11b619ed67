# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods are behind the load balancer: list and watch of one Endpoints object."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from ..kubernetes.access import Access

RESYNC_SECONDS = 30
RETRY_SECONDS = 1.0
PAUSE_SECONDS = 0.1  # between rounds: a server may end every watch at once
CONNECT_SECONDS = 3.0
LONGEST_EVENT = 1024 * 1024  # bytes

log = logging.getLogger(__name__)


class Targets:
    """The ready addresses of an Endpoints object, in turn. The last known ones stay while the API is away.

    :param dialled: where what has an address of the pod network really listens.
    """

    def __init__(
        self, access: Access, namespace: str, name: str, *, dialled: Callable[[str], str] = lambda address: address
    ) -> None:
        self._access = access
        self._dialled = dialled
        self._url = f"{access.server}/api/v1/namespaces/{namespace}/endpoints"
        self._selector = {"fieldSelector": f"metadata.name={name}"}
        self._ready: list[str] = []
        self._turn = 0
        self.synced_at: float | None = None  # epoch seconds of the last word from the API
        self.error: str | None = "not read yet"

    @property
    def ready(self) -> list[str]:
        """Every target as ``host:port``."""
        return list(self._ready)

    def next(self, *, other_than: str | None = None) -> str | None:
        """The target whose turn it is, or None where there is none."""
        candidates = [target for target in self._ready if target != other_than]
        if not candidates:
            return None
        self._turn += 1
        return candidates[self._turn % len(candidates)]

    async def follow(self) -> None:
        """Keep the targets current, for ever."""
        connector = aiohttp.TCPConnector(ssl=self._access.tls if self._access.tls else True)
        async with aiohttp.ClientSession(
            connector=connector, headers=self._access.headers, read_bufsize=LONGEST_EVENT
        ) as session:
            while True:
                try:
                    await self._list_and_watch(session)
                    await asyncio.sleep(PAUSE_SECONDS)
                except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
                    self.error = f"{type(error).__name__}: {error}"
                    log.warning("Kubernetes API: %s; the last known targets stay: %s", self.error, self._ready)
                    await asyncio.sleep(RETRY_SECONDS)

    async def _list_and_watch(self, session: aiohttp.ClientSession) -> None:
        """List, then follow the changes until the server ends the watch, which makes each round a resync."""
        timeout = aiohttp.ClientTimeout(total=10, sock_connect=CONNECT_SECONDS)
        async with session.get(self._url, params=self._selector, timeout=timeout, raise_for_status=True) as response:
            found = await response.json()
        self._take(found["items"][0] if found["items"] else None)
        watch = {
            **self._selector,
            "watch": "true",
            "timeoutSeconds": str(RESYNC_SECONDS),
            "resourceVersion": found["metadata"].get("resourceVersion", ""),
        }
        timeout = aiohttp.ClientTimeout(total=RESYNC_SECONDS + 10, sock_connect=CONNECT_SECONDS)
        async with session.get(self._url, params=watch, timeout=timeout, raise_for_status=True) as response:
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":  # 410 Gone among them: list again
                    raise ValueError(f"watch ended: {event['object'].get('message', 'no reason given')}")
                if event["type"] != "BOOKMARK":
                    self._take(event["object"] if event["type"] != "DELETED" else None)

    def _take(self, endpoints: dict[str, Any] | None) -> None:
        ready = [
            f"{self._dialled(address['ip'])}:{port['port']}"
            for subset in (endpoints or {}).get("subsets") or []
            for address in subset.get("addresses") or []
            for port in (subset.get("ports") or [])[:1]
        ]
        if ready != self._ready:
            log.info("targets: %s", ", ".join(ready) or "none")
        self._ready, self.error, self.synced_at = ready, None, time.time()
