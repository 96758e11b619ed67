# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m dhakacart_lab.shopper <lab folder>``: order until SIGTERM.

Open loop: attempts begin at SHOPPER_RATE a second (default 5) whether or not earlier ones have ended, up to as many in
flight as there are shoppers. What the bound stops is on record as failed: a customer found the shop too slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from ..layout import LabError, Layout, read_layout
from .attempt import Attempt
from .log import OrdersLog
from .order import SHOPPERS, Order

DEFAULT_RATE = 5.0
REQUEST_SECONDS = 5.0
TOO_SLOW = "shop too slow"


class Shopper:
    """Places orders through one session; ``log`` gets every attempt."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, log: OrdersLog) -> None:
        self._session, self._base_url, self._log = session, base_url, log
        # A customer has one cart, so one attempt at a time; the longest idle is next.
        self._free = deque(SHOPPERS)

    async def shop(self, rate: float) -> None:
        """Begin ``rate`` attempts a second, for ever; an error outside the shop, such as a full disk, ends it."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with asyncio.TaskGroup() as orders:
            while True:
                if self._free:
                    orders.create_task(self._order(self._free.popleft()))
                else:
                    self._log.write(Order(0).refused(TOO_SLOW))
                due = max(due + 1 / rate, loop.time() - 1.0)  # after a pause of the machine: no burst to catch up
                await asyncio.sleep(max(due - loop.time(), 0.0))

    async def _order(self, user: int) -> None:
        try:
            self._log.write(await self._place(Order(user)))
        finally:
            self._free.append(user)

    async def _place(self, order: Order) -> Attempt:
        headers = {"x-user-id": str(order.user), "x-correlation-id": order.id}
        try:
            for path, body in order.steps:
                async with self._session.post(self._base_url + path, json=body, headers=headers) as response:
                    if attempt := order.answered(response.status, await response.read()):
                        return attempt
            return order.refused("the shop's answer holds no order number")
        except TimeoutError:
            return order.silent(REQUEST_SECONDS)
        except aiohttp.ClientError as error:
            return order.unreachable(error)


def rate_from(environ: Mapping[str, str]) -> float:
    """Attempts a second; LabError where SHOPPER_RATE is no number between 0.1 and 100."""
    text = environ.get("SHOPPER_RATE") or str(DEFAULT_RATE)
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.1 <= rate <= 100:
        raise LabError(
            f"environment: SHOPPER_RATE={text!r} is no number from 0.1 to 100; remedy: correct it or unset it"
        )
    return rate


async def run(layout: Layout, rate: float) -> None:
    """Shop until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    log = OrdersLog(layout.orders_log, seconds=layout.orders_kept)
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        shopping = asyncio.create_task(Shopper(session, f"http://{layout.load_balancer}", log).shop(rate))
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({shopping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        shopping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await shopping
    log.close()


def main() -> int:
    try:
        asyncio.run(run(read_layout(Path(sys.argv[1])), rate_from(os.environ)))
    except (LabError, OSError) as error:
        print(f"shopper: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
