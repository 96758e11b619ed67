# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's own HTTP endpoint: logs and commands of containers, what they use, health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from . import exec, logs
from .container import Container
from .pod import PodWorker
from .resources import Resources
from .serving import authenticated

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Endpoint:
    """The paths under which an API server and a metrics server ask a kubelet."""

    def __init__(self, workers: Callable[[], list[PodWorker]]) -> None:
        self._workers = workers
        self._resources = Resources()
        self._scraping = asyncio.Lock()

    def build(self) -> web.Application:
        app = web.Application(middlewares=[authenticated])
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        for method in ("GET", "POST"):
            app.router.add_route(method, "/exec/{namespace}/{pod}/{container}", self._exec)
        app.router.add_get("/metrics/resource", self._metrics)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    def _container(self, request: web.Request) -> Container | web.Response:
        """The container that a request names, or the answer where it is not of this node."""
        found = request.match_info
        for worker in self._workers():
            meta = worker.pod["metadata"]
            if (meta["namespace"], meta["name"]) == (found["namespace"], found["pod"]):
                for container in [*worker.containers, *worker.init]:
                    if container.name == found["container"]:
                        return container
                return web.Response(status=404, text=f'container not found ("{found["container"]}")')
        return web.Response(status=404, text="pod does not exist")

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        if isinstance(container, web.Response):
            return container
        return await logs.serve(request, container)

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        if isinstance(container, web.Response):
            return container
        return await exec.serve(request, container)

    async def _metrics(self, _: web.Request) -> web.Response:
        async with self._scraping:
            text = await asyncio.to_thread(self._resources.text, self._workers())
        return web.Response(body=text.encode(), headers={"Content-Type": METRICS_TYPE})
