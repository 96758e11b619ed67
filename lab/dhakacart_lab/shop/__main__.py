# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m dhakacart_lab.shop``: one backend pod, until SIGTERM.

SIGUSR2 stands in for a classic bug of Node.js applications: code that ends the pool of node-pg while it is still used.
From then on every query and ``/ready`` fail with "Cannot use a pool after calling end on the pool" although the
database is well, ``/live`` stays 200, and only a restart helps.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time

from aiohttp import web

from ..layout import LabError
from . import cart, health, logs, orders, products, settings
from .cache import Cache
from .database import Database, DatabaseUnavailable
from .metrics import Metrics
from .settings import Settings
from .web import SHOP, Shop, observe

# After SIGTERM requests still arrive until the load balancer has heard that the pod is not ready.
DRAIN_SECONDS = 1.0
IN_FLIGHT_SECONDS = 3.0
LAG_INTERVAL = 1.0

log = logging.getLogger("dhakacart_lab.shop")


def application(shop: Shop) -> web.Application:
    """All routes. The platform's limits on /api (100 requests in 15 min and less) are left out: behind the load
    balancer all customers count as one, and 429 would hide every other fault of the lab."""
    app = web.Application(middlewares=[observe], client_max_size=64 * 1024)
    app[SHOP] = shop
    for part in (health, products, cart, orders):
        app.add_routes(part.routes())
    return app


async def serve(found: Settings, started: float) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    database, cache, metrics = Database(found), Cache(found), Metrics()
    try:
        await asyncio.gather(database.open(), cache.open())
    except DatabaseUnavailable as error:
        log.error("Failed to initialize database pool, exiting", extra={"error": str(error)})
        await asyncio.gather(database.close(), cache.close())
        return 1
    metrics.watch_pool(lambda: database.stats()["total"], lambda: database.stats()["total"] - database.stats()["idle"])
    shop = Shop(found, database, cache, metrics, started)
    runner = web.AppRunner(application(shop), access_log=None, shutdown_timeout=IN_FLIGHT_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, found.host, found.port, reuse_address=True).start()
    except OSError as error:
        log.error("Cannot listen on %s:%d", found.host, found.port, extra={"error": str(error)})
        await asyncio.gather(database.close(), cache.close())
        return 1
    stop = asyncio.Event()
    _on_signals(shop, stop)
    log.info("Server is running on %s:%d", found.host, found.port)
    lag = asyncio.create_task(_measure_lag(metrics))
    await stop.wait()
    log.info("SIGTERM received, shutting down")
    await asyncio.sleep(DRAIN_SECONDS)
    lag.cancel()
    await runner.cleanup()
    await asyncio.gather(database.close(), cache.close())
    log.info("Shutdown complete")
    return 0


def _on_signals(shop: Shop, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    ending: set[asyncio.Task[None]] = set()

    def shut_down() -> None:
        shop.shutting_down = True
        stop.set()

    def end_pool() -> None:
        log.error("SIGUSR2: the pool is ended while it is in use")
        ending.add(asyncio.create_task(shop.database.close()))

    loop.add_signal_handler(signal.SIGTERM, shut_down)
    loop.add_signal_handler(signal.SIGINT, shut_down)
    loop.add_signal_handler(signal.SIGUSR2, end_pool)


async def _measure_lag(metrics: Metrics) -> None:
    while True:
        begin = time.perf_counter()
        await asyncio.sleep(LAG_INTERVAL)
        metrics.loop_lag.set(max(time.perf_counter() - begin - LAG_INTERVAL, 0.0))


def main() -> int:
    started = time.monotonic()
    try:
        found = settings.from_environment()
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    logs.configure(found.environment)
    return asyncio.run(serve(found, started))


if __name__ == "__main__":
    sys.exit(main())
