# SPDX-License-Identifier: GPL-3.0-or-later
"""``/exec/{namespace}/{pod}/{container}``: a command in a container over a WebSocket, as ``kubectl exec`` asks for it.

Spoken are v5.channel.k8s.io and v4.channel.k8s.io: each message begins with the number of its channel. An API server
passes them on as they are, v5 where the node declares ExtendWebSocketsToKubelet (see node.py). SPDY is not spoken: a
kubectl before 1.31, and an API server before 1.36 that was asked for v5, would speak that to a kubelet.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

from aiohttp import WSMsgType, web

from ..kinds import Obj
from .container import Container
from .execution import Execution, Refused, exit_status, failure_status

LOG = logging.getLogger(__name__)
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
IDLE = 900.0  # seconds without a message in either direction after which the command is ended
MAX_MESSAGE = 4 * 1024 * 1024  # bytes


def refusal(request: web.Request, container: Container) -> web.Response | None:
    """The answer to a request that cannot be carried out; None where it can."""
    if "running" not in container.state or container.process is None or not container.process.running:
        return web.Response(status=500, text=f'container not found ("{container.name}")')
    wanted = {name for name in ("input", "output", "error", "tty") if _asked(request, name)}
    if not wanted - {"tty"}:
        return web.Response(status=400, text="you must specify at least 1 of stdin, stdout, stderr")
    if "tty" in wanted:
        return web.Response(status=400, text="the lab's kubelet has no terminals: exec without tty (-t)")
    upgrade = request.headers.get("Upgrade", "")
    if not upgrade:
        return web.Response(status=400, text="Upgrade request required")
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    if upgrade.lower() != "websocket" or not {V4, V5} & {name.strip() for name in offered.split(",")}:
        asked = offered if upgrade.lower() == "websocket" else upgrade
        spoken = f"WebSocket with {V5} or {V4}"
        text = f"unable to upgrade: the lab's kubelet speaks {spoken}, not {asked or 'without either'}"
        return web.Response(status=400, text=text)
    return None


async def serve(request: web.Request, container: Container) -> web.StreamResponse:
    """Run the command until it ends, the connection ends or nothing was said for long."""
    if refused := refusal(request, container):
        return refused
    socket = web.WebSocketResponse(protocols=(V5, V4), max_msg_size=MAX_MESSAGE)
    await socket.prepare(request)
    status = await Session(socket, request, container).run()
    with contextlib.suppress(ConnectionError):
        await socket.send_bytes(bytes([ERROR]) + json.dumps(status).encode())
        await socket.close()
    return socket


class Session:
    """One command and its connection."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, container: Container) -> None:
        self._socket, self._container = socket, container
        self._argv = request.query.getall("command", [])
        self._wanted = {
            STDIN: _asked(request, "input"),
            STDOUT: _asked(request, "output"),
            STDERR: _asked(request, "error"),
        }
        self._clock = asyncio.get_running_loop()
        self._heard = self._clock.time()

    async def run(self) -> Obj:
        """The Status for the error channel."""
        if not self._argv:
            return failure_status("error executing command in container: failed to exec in container: no command given")
        # clients take the first message, an empty one, for the sign that the connection stands.
        await self._send(STDOUT if self._wanted[STDOUT] else STDERR, b"")
        container = self._container
        try:
            execution = await Execution.start(
                self._argv, container.environment(), container.folder, stdin=self._wanted[STDIN]
            )
        except Refused as error:
            await self._send(STDERR if self._wanted[STDERR] else STDOUT, f"{error}\n".encode())
            return exit_status(error.code)
        container.executions.add(execution.pid)
        running = asyncio.create_task(
            execution.run(lambda data: self._send(STDOUT, data), lambda data: self._send(STDERR, data))
        )
        tasks = [running, asyncio.create_task(self._listen(execution)), asyncio.create_task(self._watch_idle())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return exit_status(running.result())
            if not self._socket.closed:
                return failure_status(f"error executing command in container: nothing was said for {IDLE:.0f} s")
            return exit_status(128 + 9)  # nobody hears it
        finally:
            execution.kill()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            container.executions.discard(execution.pid)

    async def _send(self, channel: int, data: bytes) -> None:
        self._heard = self._clock.time()
        if self._wanted.get(channel, True) and not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_bytes(bytes([channel]) + data)

    async def _listen(self, execution: Execution) -> None:
        """Pass input on until the connection ends."""
        async for message in self._socket:
            self._heard = self._clock.time()
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                continue
            data: bytes = message.data if message.type == WSMsgType.BINARY else message.data.encode()
            if data[:1] == bytes([STDIN]) and len(data) > 1:
                await execution.write(data[1:])
            elif data == bytes([CLOSE, STDIN]) and self._socket.ws_protocol == V5:
                execution.end_of_input()

    async def _watch_idle(self) -> None:
        while (left := self._heard + IDLE - self._clock.time()) > 0:
            await asyncio.sleep(left)


def _asked(request: web.Request, name: str) -> bool:
    return request.query.get(name) in ("1", "true")
