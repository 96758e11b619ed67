# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else's job that misuses the database: ``python -m dhakacart_lab.faults.holder <lab folder> <kind>``.

It opens its sessions as the shop's database user through the primary's endpoint and never reopens one that was ended:
ending them is a cure that holds.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path

import psycopg

from ..layout import Layout, read_layout

GRAB_SECONDS = 12.0
# On a busy machine it takes longer until nothing is left to take.
MOST_GRAB_SECONDS = 60.0
ENOUGH, MOST = 190, 200


def _connect(layout: Layout, name: str) -> psycopg.Connection[tuple[object, ...]]:
    endpoint = layout.endpoints["primary"]
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        dbname=layout.database,
        user=layout.app_user,
        password=layout.secret("db-app"),
        application_name=name,
        connect_timeout=3,
        autocommit=name == "reporting-job",
    )


def exhaust(layout: Layout) -> None:
    """Take every connection that can be had for GRAB_SECONDS, and until there are ENOUGH; then only hold them."""
    held: list[psycopg.Connection[tuple[object, ...]]] = []
    begin = time.monotonic()
    while len(held) < MOST:
        limit = GRAB_SECONDS if len(held) >= ENOUGH else MOST_GRAB_SECONDS
        if time.monotonic() - begin >= limit:
            break
        try:
            held.append(_connect(layout, "reporting-job"))
        except psycopg.OperationalError:
            time.sleep(0.05)
    signal.pause()


def lock(layout: Layout) -> None:
    """Lock products exclusively and leave the transaction open."""
    connection = _connect(layout, "migration-job")
    connection.execute("lock table products in access exclusive mode")
    signal.pause()


def runaway(layout: Layout) -> None:
    """Count for ever, in constant memory, then stay; ended by the server means ended."""
    connection = _connect(layout, "reporting-job")
    with contextlib.suppress(psycopg.Error):
        connection.execute("do $$ begin loop perform 1; end loop; end $$")
    signal.pause()


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    kinds = {"exhaust": exhaust, "lock": lock, "runaway": runaway}
    kinds[sys.argv[2]](read_layout(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
