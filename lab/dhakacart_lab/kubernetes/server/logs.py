# SPDX-License-Identifier: GPL-3.0-or-later
"""pods/log: the API server fetches a container's log from the kubelet of the pod's node."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from ..errors import ApiError
from ..kinds import POD
from ..store import Store
from . import kubelets

PASSED_ON = ("tailLines", "sinceSeconds", "sinceTime", "previous", "timestamps", "follow", "limitBytes")
READ_TIMEOUT = 10.0  # seconds without a byte, where the log is not followed


async def serve(request: web.Request, store: Store, namespace: str, name: str) -> web.StreamResponse:
    """Stream the log; ApiError 400 where the container has none, 500 where the kubelet cannot be reached."""
    pod = store.get(POD, namespace, name)
    if pod is None:
        raise ApiError(404, "NotFound", f'pods "{name}" not found', kind=POD, name=name)
    container = kubelets.container_of(pod, request.query.get("container"))
    if not (node := pod["spec"].get("nodeName")):
        return web.Response(text="")
    url = f"{kubelets.url(store, node)}/containerLogs/{namespace}/{name}/{container}"
    query = {key: request.query[key] for key in PASSED_ON if key in request.query}
    following = query.get("follow") in ("true", "1")
    timeout = aiohttp.ClientTimeout(
        sock_connect=kubelets.CONNECT_TIMEOUT, sock_read=None if following else READ_TIMEOUT
    )
    session: aiohttp.ClientSession = request.app[kubelets.SESSION]
    try:
        async with session.get(url, params=query, timeout=timeout) as answer:
            if answer.status != 200:
                text = (await answer.text()).strip()
                reason = {400: "BadRequest", 404: "NotFound"}.get(answer.status, "InternalError")
                raise ApiError(answer.status, reason, text)
            response = web.StreamResponse(headers={"Content-Type": "text/plain"})
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ApiError(500, "InternalError", f'Get "{url}": {str(error) or "context deadline exceeded"}') from None
