# SPDX-License-Identifier: GPL-3.0-or-later
"""pods/exec: the API server passes the WebSocket on to the kubelet of the pod's node, message by message."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
from aiohttp import WSMsgType, web

from ..errors import ApiError, bad_request
from ..kinds import POD
from ..kubelet.exec import V4
from ..store import Store
from . import kubelets

# What the API calls them, and what a kubelet does.
STREAMS = (("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty"))
TRUE = ("true", "1")
MAX_MESSAGE = 4 * 1024 * 1024  # bytes
Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def serve(request: web.Request, store: Store, namespace: str, name: str) -> web.StreamResponse:
    """Both directions until either side closes; a refusal of the kubelet as it worded it."""
    pod = store.get(POD, namespace, name)
    if pod is None:
        raise ApiError(404, "NotFound", f'pods "{name}" not found', kind=POD, name=name)
    container = kubelets.container_of(pod, request.query.get("container"))
    if not (node := pod["spec"].get("nodeName")):
        raise bad_request(f"pod {name} does not have a host assigned")
    url = f"{kubelets.url(store, node)}/exec/{namespace}/{name}/{container}"
    query = [(theirs, "1") for ours, theirs in STREAMS if request.query.get(ours) in TRUE]
    query += [("command", part) for part in request.query.getall("command", [])]
    if "upgrade" not in request.headers.get("Connection", "").lower():
        raise bad_request("Upgrade request required")
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if part.strip()]
    session = request.app[kubelets.SESSION]
    try:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await _refused(session, url, query, {"Upgrade": request.headers.get("Upgrade", "")})
        async with session.ws_connect(
            url, params=query, protocols=offered, max_msg_size=MAX_MESSAGE,
            timeout=aiohttp.ClientWSTimeout(ws_close=kubelets.CONNECT_TIMEOUT),
        ) as backend:  # fmt: skip
            socket = web.WebSocketResponse(protocols=(backend.protocol or V4,), max_msg_size=MAX_MESSAGE)
            await socket.prepare(request)
            await _splice(socket, backend)
            return socket
    except aiohttp.WSServerHandshakeError:
        # the handshake's error carries no text: asked without WebSocket, the kubelet says the same in words.
        return await _refused(
            session, url, query, {"Upgrade": "websocket", "Sec-WebSocket-Protocol": ",".join(offered)}
        )
    except (aiohttp.ClientError, TimeoutError) as error:
        why = f"error dialing backend: {str(error) or 'context deadline exceeded'}"
        raise ApiError(500, "InternalError", f"Internal error occurred: {why}") from None


async def _refused(
    session: aiohttp.ClientSession, url: str, query: list[tuple[str, str]], headers: dict[str, str]
) -> web.Response:
    timeout = aiohttp.ClientTimeout(sock_connect=kubelets.CONNECT_TIMEOUT, sock_read=kubelets.CONNECT_TIMEOUT)
    async with session.post(url, params=query, headers=headers, timeout=timeout) as answer:
        return web.Response(status=answer.status, text=await answer.text())


async def _splice(one: Socket, other: Socket) -> None:
    directions = [asyncio.create_task(_pass_on(one, other)), asyncio.create_task(_pass_on(other, one))]
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in directions:
            task.cancel()
        await asyncio.gather(*directions, return_exceptions=True)
        for socket in (one, other):
            with contextlib.suppress(ConnectionError, RuntimeError):
                await socket.close()


async def _pass_on(source: Socket, target: Socket) -> None:
    async for message in source:
        if message.type == WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type == WSMsgType.TEXT:
            await target.send_str(message.data)
