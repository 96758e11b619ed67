# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the API server and the controllers of one lab until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from ...layout import Layout, read_layout
from ..controllers.manager import Manager
from ..kinds import NODE, POD
from ..metrics.api import MetricsApi
from ..metrics.scraping import Scraper
from ..registry import Registry
from ..store import Store
from .app import Application


async def serve(layout: Layout) -> None:
    store = Store(layout.folder / "kubernetes" / "state.sqlite")
    registry = Registry(store)
    scraper = Scraper(layout, lambda: store.all(NODE))
    measured = MetricsApi(scraper.samples, lambda: store.all(POD), lambda: store.all(NODE))
    application = Application(layout, registry, measured)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    runner = web.AppRunner(application.build(), access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
    await runner.setup()
    address = layout.kubernetes_api
    await web.TCPSite(runner, address.host, address.port, backlog=512, reuse_address=True).start()
    logging.info("serving on %s at revision %d", address, store.revision)
    manager = asyncio.create_task(Manager(registry, measured).run())
    scraping = asyncio.create_task(scraper.run())
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({manager, waiting}, return_when=asyncio.FIRST_COMPLETED)
    manager.cancel()
    scraping.cancel()
    application.watches.end()
    await runner.cleanup()
    store.close()
    if manager.done() and not manager.cancelled():
        manager.result()  # it ends only by an error; show it and exit with it


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    asyncio.run(serve(read_layout(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
