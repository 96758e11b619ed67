# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the metrics server of one lab until SIGTERM: an API server that the aggregator of a real one passes requests to.

It believes who shows the aggregator's certificate, which speaks for its users and has authorized them. Its own
certificate is of the lab's authority.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from ...layout import Layout, read_layout
from ..access import read_kubeconfig
from ..client import Client
from ..errors import ApiError, no_such_path
from ..kinds import NODE, POD, Kind, Obj
from ..kubelet.serving import METRICS_SERVER, client_of, serving_context
from ..pki import Authority
from . import api
from .api import MetricsApi
from .scraping import Scraper

FRONT_PROXY = "front-proxy-client"
OPEN_PATHS = {"/healthz", "/livez", "/readyz"}


class Mirror:
    """The objects of one kind, as a watch tells of them."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._found: dict[str, Obj] = {}

    def objects(self) -> list[Obj]:
        return list(self._found.values())

    def listed(self, objects: list[Obj]) -> None:
        self._found = {obj["metadata"]["uid"]: obj for obj in objects}

    def changed(self, event_type: str, obj: Obj) -> None:
        if event_type == "DELETED":
            self._found.pop(obj["metadata"]["uid"], None)
        else:
            self._found[obj["metadata"]["uid"]] = obj

    async def follow(self, client: Client) -> None:
        await client.follow(self.kind, {}, self.listed, self.changed)


class Server:
    """The HTTP side."""

    def __init__(self, metrics: MetricsApi) -> None:
        self._metrics = metrics

    def build(self) -> web.Application:
        app = web.Application(middlewares=[_checked])
        app.router.add_get("/{path:.*}", self._get)
        return app

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return web.Response(text="ok")
        path = request.path.rstrip("/")
        match path.strip("/").split("/"):
            case ["apis"]:
                found: Obj = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [api.group()]}
            case ["apis", api.GROUP]:
                found = {"kind": "APIGroup", "apiVersion": "v1", **api.group()}
            case ["apis", api.GROUP, api.VERSION]:
                found = api.resources()
            case _:
                if request.query.get("watch") in ("true", "1"):
                    raise no_such_path()
                found = self._metrics.answer(path, request.query)
        return web.json_response(found)


@web.middleware
async def _checked(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        client = client_of(request)
        if request.path not in OPEN_PATHS and (client is None or client[0] != FRONT_PROXY):
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return await handler(request)
    except ApiError as error:
        return _refusal(error)
    except web.HTTPMethodNotAllowed:
        text = "the server does not allow this method on the requested resource"
        return _refusal(ApiError(405, "MethodNotAllowed", text))


def _refusal(error: ApiError) -> web.Response:
    text = json.dumps(error.status())
    return web.Response(body=text.encode(), status=error.code, content_type="application/json")


async def serve(layout: Layout) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    own = layout.credentials / f"{METRICS_SERVER}.kubeconfig"
    client = Client(read_kubeconfig(own if own.exists() else layout.kubeconfig))
    pods, nodes = Mirror(POD), Mirror(NODE)
    scraper = Scraper(layout, nodes.objects)
    authority, address = Authority.open(layout), layout.metrics_api
    service = f"{METRICS_SERVER}.kube-system.svc"
    pair = authority.issue(
        f"{METRICS_SERVER}-serving", common_name=METRICS_SERVER, hosts=(address.host, service, METRICS_SERVER)
    )
    application = Server(MetricsApi(scraper.samples, pods.objects, nodes.objects)).build()
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    context = serving_context(pair, authority.pem)
    await web.TCPSite(runner, address.host, address.port, ssl_context=context).start()
    logging.info("serving on %s", address)
    jobs = [asyncio.create_task(job) for job in (pods.follow(client), nodes.follow(client), scraper.run())]
    jobs.append(asyncio.create_task(_until(stopped)))
    done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    await runner.cleanup()
    await client.close()
    for job in done:
        job.result()  # other than the signal, a job ends only by an error; show it and exit with it


async def _until(stopped: asyncio.Event) -> None:
    await stopped.wait()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    asyncio.run(serve(read_layout(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
