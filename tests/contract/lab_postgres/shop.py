# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the database ask and wait for."""

from __future__ import annotations

import time
from collections.abc import Callable

from dhakacart_lab.postgres import Cluster


def place(cluster: Cluster, note: str, node: str | None = None) -> int:
    """Place an order as the shop does; its id once it is acknowledged."""
    with cluster.connect(node, user="app") as connection:
        row = connection.execute("INSERT INTO orders (note) VALUES (%s) RETURNING id", (note,)).fetchone()
    assert row is not None
    return int(row[0])


def notes(cluster: Cluster, node: str | None = None) -> set[str]:
    """The notes of all orders on a node."""
    with cluster.connect(node) as connection:
        return {str(note) for (note,) in connection.execute("SELECT note FROM orders").fetchall()}


def until(what: str, true: Callable[[], bool], timeout: float) -> float:
    """Wait until something is true; the seconds it took."""
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < timeout, f"not {what} after {timeout} s"
        time.sleep(0.02)
    return time.monotonic() - begin
