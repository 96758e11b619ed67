# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask every kubelet every few seconds what its containers use."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import aiohttp

from ...layout import Layout
from ..kinds import Obj
from ..kubelet.serving import METRICS_SERVER, client_context
from . import samples
from .samples import Samples

LOG = logging.getLogger(__name__)
PERIOD = 5.0  # seconds; the metrics server of the platform asks every 15
DEADLINE = 3.0  # seconds a kubelet may take


class Scraper:
    """Fills ``samples``. ``nodes`` gives the Node objects there are now."""

    def __init__(self, layout: Layout, nodes: Callable[[], Iterable[Obj]]) -> None:
        self.samples = Samples()
        self._layout, self._nodes = layout, nodes
        self._silent: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        connector = aiohttp.TCPConnector(ssl=client_context(self._layout, METRICS_SERVER))
        timeout = aiohttp.ClientTimeout(total=DEADLINE)
        clock = asyncio.get_running_loop()
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            while True:
                due = clock.time() + PERIOD
                await self._round(session)
                await asyncio.sleep(max(0.0, due - clock.time()))

    async def _round(self, session: aiohttp.ClientSession) -> None:
        nodes = {node["metadata"]["name"]: url for node in self._nodes() if (url := _url(node))}
        for gone in self.samples.nodes() - set(nodes):
            self.samples.forget(gone)
        await asyncio.gather(*(self._scrape(session, name, url) for name, url in nodes.items()))

    async def _scrape(self, session: aiohttp.ClientSession, node: str, url: str) -> None:
        try:
            async with session.get(url) as answer:
                text = await answer.text()
                if answer.status != 200:
                    raise ValueError(f"status {answer.status}: {text[:200]}")
            self.samples.add(node, samples.parse(text))
            self._silent.discard(node)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self.samples.forget(node)
            if node not in self._silent:  # once, not every 5 s of an outage
                LOG.warning("scrape of %s: %s", node, str(error) or type(error).__name__)
                self._silent.add(node)


def _url(node: Obj) -> str:
    """Where its kubelet's metrics are; empty where it has not said so yet."""
    status = node.get("status", {})
    port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port", 10250)
    for address in status.get("addresses") or []:
        if address["type"] == "InternalIP":
            return f"https://{address['address']}:{port}/metrics/resource"
    return ""
