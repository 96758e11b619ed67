# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m dhakacart_lab.loadbalancer <lab folder>``: serve until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from ..kubernetes.access import read_kubeconfig
from ..layout import LabError, Layout, read_layout
from .proxy import application
from .targets import Targets

SERVICE = "dhakacart-backend-service"


async def serve(layout: Layout) -> None:
    """Follow the Service's Endpoints and forward requests until SIGTERM."""
    address = layout.load_balancer
    targets = Targets(read_kubeconfig(layout.kubeconfig), layout.namespace, SERVICE, dialled=layout.dialled)
    runner = web.AppRunner(application(targets, address.host), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, address.host, address.port, reuse_address=True).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    follower = asyncio.create_task(targets.follow())
    waiting = asyncio.create_task(stop.wait())
    # A follower that ends has a bug: better to die and be seen than to serve targets of yesterday.
    await asyncio.wait({follower, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if follower.done():
        follower.result()
    follower.cancel()
    await runner.cleanup()


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(serve(read_layout(Path(sys.argv[1]))))
    except (LabError, OSError) as error:
        print(f"load balancer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
