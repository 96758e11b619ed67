# SPDX-License-Identifier: GPL-3.0-or-later
"""One forwarded TCP connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from ..layout import Address

CHUNK = 64 * 1024
CONNECT_TIMEOUT = 60.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Link:
    """Client socket and upstream socket with bytes passing both ways, as long as the link is open for them."""

    def __init__(self, client: socket.socket, target: Address, *, passing: bool) -> None:
        self.stalled = False
        self._client = client
        self._upstream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._target = target
        self._passing = asyncio.Event()
        if passing:
            self._passing.set()

    def let_pass(self, network_up: bool) -> None:
        """Let bytes through, unless this connection is stalled or the network is cut."""
        if network_up and not self.stalled:
            self._passing.set()
        else:
            self._passing.clear()

    async def run(self) -> None:
        """Carry the connection to its end. Cancelled, refused or broken, the client sees a reset."""
        clean = False
        try:
            await self._connect()
            await self._carry()
            clean = True
        except OSError:
            await self._passing.wait()  # a cut network does not carry a reset either
        finally:
            for end in (self._client, self._upstream):
                if not clean:
                    with contextlib.suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                end.close()

    async def _connect(self) -> None:
        for end in (self._client, self._upstream):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The server sees the client's own address in pg_stat_activity, not the edge's.
        self._upstream.bind((self._client.getpeername()[0], 0))
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await asyncio.get_running_loop().sock_connect(self._upstream, (self._target.host, self._target.port))

    async def _carry(self) -> None:
        pumps = [
            asyncio.create_task(self._pump(self._client, self._upstream)),
            asyncio.create_task(self._pump(self._upstream, self._client)),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()

    async def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.sock_recv(source, CHUNK)
            await self._passing.wait()
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            await loop.sock_sendall(sink, data)
