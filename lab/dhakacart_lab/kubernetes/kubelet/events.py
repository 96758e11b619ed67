# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of the kubelet: written in the background, the same one again counted up."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

import aiohttp

from ..client import Client
from ..errors import ApiError
from ..kinds import EVENT, Obj, timestamp

LOG = logging.getLogger(__name__)
BACKLOG = 200  # events; beyond that new ones are dropped, as events are told best-effort


@dataclass(frozen=True)
class Occurrence:
    """Something that happened to a container or pod."""

    pod: Obj
    type: str
    reason: str
    message: str
    container: str


class Events:
    def __init__(self, client: Client, node: str) -> None:
        self._client = client
        self._node = node
        self._queue: asyncio.Queue[Occurrence] = asyncio.Queue(BACKLOG)
        self._known: dict[tuple[str, ...], tuple[str, int]] = {}

    def record(self, pod: Obj, event_type: str, reason: str, message: str, container: str) -> None:
        try:
            self._queue.put_nowait(Occurrence(pod, event_type, reason, message, container))
        except asyncio.QueueFull:
            LOG.warning("event dropped: %s %s", reason, message)

    async def run(self) -> None:
        """Write events until cancelled."""
        while True:
            happened = await self._queue.get()
            try:
                await self._write(happened)
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                LOG.warning("event %s not written: %s", happened.reason, str(error) or type(error).__name__)

    async def _write(self, happened: Occurrence) -> None:
        meta = happened.pod["metadata"]
        same = (meta["uid"], happened.type, happened.reason, happened.message, happened.container)
        if same in self._known:
            name, count = self._known[same]
            try:
                await self._client.patch(
                    EVENT, meta["namespace"], name, {"count": count + 1, "lastTimestamp": timestamp()}
                )
                self._known[same] = (name, count + 1)
                return
            except ApiError as error:
                if error.code != 404:  # it was swept away: write a new one
                    raise
        involved = {"kind": "Pod", "apiVersion": "v1", "namespace": meta["namespace"], "name": meta["name"]}
        involved |= {"uid": meta["uid"], "resourceVersion": meta.get("resourceVersion", "")}
        if happened.container:
            involved["fieldPath"] = f"spec.containers{{{happened.container}}}"
        name = f"{meta['name']}.{time.time_ns():x}"
        event: Obj = {
            "metadata": {"name": name, "namespace": meta["namespace"]},
            "involvedObject": involved,
            "type": happened.type,
            "reason": happened.reason,
            "message": happened.message,
            "source": {"component": "kubelet", "host": self._node},
            "reportingComponent": "kubelet",
            "reportingInstance": self._node,
            "firstTimestamp": timestamp(),
            "lastTimestamp": timestamp(),
            "count": 1,
        }
        await self._client.create(EVENT, meta["namespace"], event)
        if len(self._known) > 10 * BACKLOG:
            self._known.clear()
        self._known[same] = (name, 1)
