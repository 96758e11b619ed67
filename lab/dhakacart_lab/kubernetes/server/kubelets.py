# SPDX-License-Identifier: GPL-3.0-or-later
"""How the API server reaches the kubelets: by TLS, as kube-apiserver-kubelet-client, on the address a node reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import aiohttp
from aiohttp import web

from ...layout import Layout
from ..errors import ApiError, bad_request
from ..kinds import NODE, Obj
from ..kubelet.serving import API_SERVER, MASTERS, client_context
from ..store import Store

CONNECT_TIMEOUT = 3.0  # seconds
SESSION = web.AppKey("session", aiohttp.ClientSession)


def new_session(layout: Layout) -> aiohttp.ClientSession:
    """A session to kubelets; to be closed. Inside an event loop only."""
    context = client_context(layout, API_SERVER, organizations=(MASTERS,))
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=0))


def session(layout: Layout) -> Callable[[web.Application], AsyncIterator[None]]:
    """The application's cleanup context that keeps such a session."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with new_session(layout) as opened:
            app[SESSION] = opened
            yield

    return context


def url(store: Store, node_name: str) -> str:
    """Where the kubelet of a node listens; ApiError 500 where that is not known."""
    node = store.get(NODE, "", node_name)
    if node is None:
        raise ApiError(500, "InternalError", f'Internal error occurred: nodes "{node_name}" not found')
    status = node.get("status", {})
    port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port", 10250)
    for address in status.get("addresses", []):
        if address["type"] == "InternalIP":
            return f"https://{address['address']}:{port}"
    raise ApiError(500, "InternalError", f"Internal error occurred: no preferred addresses found for {node_name}")


def container_of(pod: Obj, asked: str | None) -> str:
    """The container that is meant; ApiError 400 where there is none of that name, or several and none is named."""
    name = pod["metadata"]["name"]
    containers = [found["name"] for found in pod["spec"]["containers"]]
    everyone = [found["name"] for found in pod["spec"].get("initContainers") or []] + containers
    if asked:
        if asked not in everyone:
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(containers) > 1:
        listed = " ".join(everyone)
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{listed}]")
    return str(containers[0])
