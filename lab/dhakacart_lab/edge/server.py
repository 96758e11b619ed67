# SPDX-License-Identifier: GPL-3.0-or-later
"""Component ``edge``: ``python -m dhakacart_lab.edge.server <lab folder>``.

``GET /endpoints``; ``PUT /endpoints/<name>`` with any of ``{"target": "a" | null, "mode": …, "stall": true}``.
Targets and modes are kept in ``edge.json``, and an edge that is started again goes on from there.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any, get_args

from aiohttp import web

from ..layout import LabError, Layout, read_layout
from . import Mode
from .endpoint import Endpoint
from .listening import listening

WATCH_INTERVAL = 0.15
FIRST_TARGETS: dict[str, str | None] = {"primary": "a", "replica": "b", "recovery": None}
MODES = get_args(Mode)


class Edge:
    """All endpoints of one lab."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.endpoints = {name: Endpoint(name, address) for name, address in layout.endpoints.items()}
        self._file = layout.folder / "edge.json"
        self._load()

    def change(self, name: str, wanted: Any) -> dict[str, Any]:
        """Apply one admin request; raises LabError where it makes no sense, and then nothing is changed."""
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            raise LabError(f"no endpoint {name!r}; there are {', '.join(self.endpoints)}")
        self._check(wanted)
        if "target" in wanted:
            self._point(endpoint, wanted["target"])
        if "mode" in wanted:
            endpoint.set_mode(wanted["mode"])
        if "stall" in wanted:
            endpoint.stall(wanted["stall"])
        endpoint.apply(listening())
        self._save()
        print(f"endpoint {name}: {json.dumps(wanted)}", flush=True)
        return endpoint.describe()

    def describe(self) -> dict[str, dict[str, Any]]:
        return {name: endpoint.describe() for name, endpoint in self.endpoints.items()}

    async def watch(self) -> None:
        """Open and close listeners as servers behind them come and go."""
        while True:
            now = listening()
            for endpoint in self.endpoints.values():
                endpoint.apply(now)
            await asyncio.sleep(WATCH_INTERVAL)

    def _point(self, endpoint: Endpoint, target: str | None) -> None:
        endpoint.point(target, self.layout.nodes[target] if target else None)

    def _check(self, wanted: Any) -> None:
        if not isinstance(wanted, dict) or not wanted or wanted.keys() - {"target", "mode", "stall"}:
            raise LabError("the body must be a JSON object with target, mode or stall")
        target = wanted.get("target")
        if target is not None and target not in self.layout.nodes:
            raise LabError(f"no node {target!r}; there are {', '.join(self.layout.nodes)}")
        if wanted.get("mode", "forward") not in MODES:
            raise LabError(f"no mode {wanted['mode']!r}; there are {', '.join(MODES)}")
        if not isinstance(wanted.get("stall", True), bool):
            raise LabError("stall must be true or false")

    def _load(self) -> None:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            kept = {name: {"target": target, "mode": "forward"} for name, target in FIRST_TARGETS.items()}
        except ValueError as error:
            raise LabError(f"{self._file}: not a record of endpoints ({error}); remedy: remove it") from None
        for name, endpoint in self.endpoints.items():
            wanted: Any = kept.get(name) if isinstance(kept, dict) else None
            self._check(wanted)
            self._point(endpoint, wanted.get("target"))
            endpoint.set_mode(wanted.get("mode", "forward"))

    def _save(self) -> None:
        kept = {name: {"target": one.target, "mode": one.mode} for name, one in self.endpoints.items()}
        draft = self._file.with_name(".edge.json.new")
        draft.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        draft.replace(self._file)


def application(edge: Edge) -> web.Application:
    """The admin interface."""

    async def show(_: web.Request) -> web.Response:
        return web.json_response(edge.describe())

    async def change(request: web.Request) -> web.Response:
        try:
            return web.json_response(edge.change(request.match_info["name"], await request.json()))
        except (LabError, json.JSONDecodeError) as error:
            return web.Response(status=400, text=str(error))

    app = web.Application()
    app.add_routes([web.get("/endpoints", show), web.put("/endpoints/{name}", change)])
    return app


async def serve(layout: Layout) -> None:
    """Run until SIGTERM."""
    edge = Edge(layout)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    runner = web.AppRunner(application(edge), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, layout.edge_admin.host, layout.edge_admin.port, shutdown_timeout=0.2).start()
    print(f"edge: {json.dumps(edge.describe())}", flush=True)
    watch, end = asyncio.create_task(edge.watch()), asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait({watch, end}, return_when=asyncio.FIRST_COMPLETED)
    for endpoint in edge.endpoints.values():
        endpoint.close()
    await runner.cleanup()
    if watch in done:
        watch.result()  # it never returns: this raises what ended it
    watch.cancel()


def main() -> None:
    """Entry of the component; a failure is one line and exit code 1."""
    try:
        asyncio.run(serve(read_layout(Path(sys.argv[1]))))
    except (LabError, OSError) as error:
        sys.exit(f"edge: {error}")


if __name__ == "__main__":
    main()
