# SPDX-License-Identifier: GPL-3.0-or-later
"""pods/log: the API server fetches a container's log from the kubelet of the pod's node."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from ..errors import ApiError, bad_request
from ..kinds import NODE, POD, Obj
from ..store import Store

PASSED_ON = ("tailLines", "sinceSeconds", "sinceTime", "previous", "timestamps", "follow", "limitBytes")
CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 10.0  # seconds without a byte, where the log is not followed


def _container(pod: Obj, asked: str | None) -> str:
    name = pod["metadata"]["name"]
    containers = [found["name"] for found in pod["spec"]["containers"]]
    containers += [found["name"] for found in pod["spec"].get("initContainers") or []]
    if asked:
        if asked not in containers:
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(containers) > 1:
        listed = " ".join(containers)
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{listed}]")
    return str(containers[0])


def _kubelet_url(store: Store, node_name: str) -> str:
    node = store.get(NODE, "", node_name)
    if node is None:
        raise ApiError(500, "InternalError", f'Internal error occurred: nodes "{node_name}" not found')
    status = node.get("status", {})
    port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port", 10250)
    for address in status.get("addresses", []):
        if address["type"] == "InternalIP":
            return f"http://{address['address']}:{port}"
    raise ApiError(500, "InternalError", f"Internal error occurred: no preferred addresses found for {node_name}")


async def serve(request: web.Request, store: Store, namespace: str, name: str, token: str) -> web.StreamResponse:
    """Stream the log; ApiError 400 where the container has none, 500 where the kubelet cannot be reached."""
    pod = store.get(POD, namespace, name)
    if pod is None:
        raise ApiError(404, "NotFound", f'pods "{name}" not found', kind=POD, name=name)
    container = _container(pod, request.query.get("container"))
    if not (node := pod["spec"].get("nodeName")):
        return web.Response(text="")
    url = f"{_kubelet_url(store, node)}/containerLogs/{namespace}/{name}/{container}"
    query = {key: request.query[key] for key in PASSED_ON if key in request.query}
    following = query.get("follow") in ("true", "1")
    timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=None if following else READ_TIMEOUT)
    session: aiohttp.ClientSession = request.app[SESSION]
    try:
        async with session.get(
            url, params=query, timeout=timeout, headers={"Authorization": f"Bearer {token}"}
        ) as answer:
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
        raise ApiError(500, "InternalError", f'Get "{url}": {error or "context deadline exceeded"}') from None


SESSION = web.AppKey("session", aiohttp.ClientSession)
