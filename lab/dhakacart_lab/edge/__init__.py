# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of RDS endpoint names and of the network to them: a client of the running ``edge`` component.

An endpoint (``primary``, ``replica``, ``recovery``) listens at its address and forwards to a node. Modes:
``forward``; ``drop``: the network is cut, nothing passes and new connections hang in TCP; ``down``: it refuses.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Literal

from ..layout import LabError, Layout

COMPONENT = "edge"
MODULE = "dhakacart_lab.edge.server"
TIMEOUT = 3.0

Mode = Literal["forward", "drop", "down"]


def point(layout: Layout, endpoint: str, node_name: str | None) -> None:
    """Move an endpoint to a node (None: to nothing, it refuses); its connections are reset where that is a change."""
    _call(layout, endpoint, {"target": node_name})


def set_mode(layout: Layout, endpoint: str, mode: Mode) -> None:
    """Cut the network to an endpoint, take it down, or let it forward again."""
    _call(layout, endpoint, {"mode": mode})


def stall(layout: Layout, endpoint: str, stalled: bool = True) -> None:
    """Have the present connections pass no byte any more while new ones work; ``stalled=False`` lets them go on."""
    _call(layout, endpoint, {"stall": stalled})


def state(layout: Layout) -> dict[str, dict[str, Any]]:
    """Endpoint -> ``address``, ``target``, ``mode``, ``accepting``, ``connections``, ``stalled`` (counts of both)."""
    found: dict[str, dict[str, Any]] = _call(layout, None, None)
    return found


def ready(layout: Layout) -> bool:
    """Whether the edge answers."""
    try:
        state(layout)
    except LabError:
        return False
    return True


def _call(layout: Layout, endpoint: str | None, change: dict[str, Any] | None) -> Any:
    path = f"/endpoints/{endpoint}" if endpoint else "/endpoints"
    request = urllib.request.Request(
        f"http://{layout.edge_admin}{path}",
        data=None if change is None else json.dumps(change).encode(),
        method="GET" if change is None else "PUT",
        headers={"Content-Type": "application/json"},
    )
    # safe: an HTTP proxy in the environment is not meant for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise LabError(f"edge {path}: {error.read().decode(errors='replace').strip()}") from None
    except (OSError, ValueError) as error:
        raise LabError(f"the edge at {layout.edge_admin} does not answer ({error}); remedy: runbook lab up") from None
