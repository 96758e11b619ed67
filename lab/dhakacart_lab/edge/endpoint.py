# SPDX-License-Identifier: GPL-3.0-or-later
"""One endpoint: its listening socket, and the connections through it."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
from typing import Any

from ..layout import Address
from . import Mode
from .link import Link

BACKLOG = 128
MOST_FILLERS = 8
FILL_WAIT = 0.02


class Endpoint:
    """Listens at ``address`` exactly while a client would find the target listening; see ``apply``."""

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self.address = address
        self.target: str | None = None
        self.target_address: Address | None = None
        self.mode: Mode = "forward"
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._fillers: list[socket.socket] = []
        self._links: dict[asyncio.Task[None], Link] = {}

    def describe(self) -> dict[str, Any]:
        """What the admin interface tells."""
        return {
            "address": str(self.address),
            "target": self.target,
            "mode": self.mode,
            "accepting": self._accepting is not None,
            "connections": len(self._links),
            "stalled": sum(link.stalled for link in self._links.values()),
        }

    def point(self, target: str | None, address: Address | None) -> None:
        """Another target: the present connections are reset, as at a failover."""
        if target != self.target:
            self.target, self.target_address = target, address
            self.reset()

    def set_mode(self, mode: Mode) -> None:
        self.mode = mode
        if mode == "down":
            self.reset()
        self._gate()

    def stall(self, stalled: bool) -> None:
        """Stall the present connections, or let all of them go on."""
        for link in self._links.values():
            link.stalled = stalled
        self._gate()

    def reset(self) -> None:
        """Reset every connection."""
        for task in self._links:
            task.cancel()

    def apply(self, listening: frozenset[Address]) -> None:
        """Bring the listening socket in line with the mode and with what listens upstream now."""
        if self.mode == "drop":
            self._open_full()
        elif self.mode == "forward" and self.target_address in listening:
            self._open()
        else:
            self._close()

    def close(self) -> None:
        """Refuse and reset."""
        self._close()
        self.reset()

    def _open(self) -> None:
        if self._accepting is None:
            listener = self._listening_socket(BACKLOG)
            own = {filler.getsockname() for filler in self._fillers}
            self._drop_fillers()
            self._accepting = asyncio.create_task(self._accept(listener, own))

    def _open_full(self) -> None:
        """A listener whose queue is full: the kernel drops every SYN, and the caller waits for an answer in vain."""
        if self._fillers:
            return
        self._stop_accepting()
        self._listening_socket(0)
        for _ in range(MOST_FILLERS):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex((self.address.host, self.address.port))
            if not select.select([], [filler], [], FILL_WAIT)[1]:
                filler.close()
                return
            self._fillers.append(filler)
        raise OSError(f"endpoint {self.name} at {self.address}: its queue does not fill")

    def _close(self) -> None:
        self._stop_accepting()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._drop_fillers()

    def _listening_socket(self, backlog: int) -> socket.socket:
        if self._listener is None:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self.address.host, self.address.port))
            except OSError:
                listener.close()
                raise
            self._listener = listener
        self._listener.listen(backlog)  # again on a listening socket: only the length of its queue changes
        return self._listener

    def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()

    async def _accept(self, listener: socket.socket, own: set[tuple[str, int]]) -> None:
        """Take callers; ``own``: addresses of fillers that wait in the queue."""
        loop = asyncio.get_running_loop()
        while True:
            client, peer = await loop.sock_accept(listener)
            if peer in own:
                own.discard(peer)
                client.close()
                continue
            if self.target_address is None:
                client.close()
                continue
            link = Link(client, self.target_address, passing=self.mode == "forward")
            task = asyncio.create_task(link.run())
            self._links[task] = link
            task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._links.pop(task, None)
        with contextlib.suppress(asyncio.CancelledError):
            if error := task.exception():
                print(f"endpoint {self.name}: {error!r}", flush=True)

    def _gate(self) -> None:
        for link in self._links.values():
            link.let_pass(self.mode != "drop")
