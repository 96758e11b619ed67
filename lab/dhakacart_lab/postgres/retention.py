# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a lab from filling its small disks: orders beyond an age are dropped, and so are backups and archived WAL.

A backup is taken twice within that age, so that any kept moment can be recovered to. Nothing is done while a fault is
on record: what is being investigated must not change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from ..faults.state import active
from ..layout import LabError, Layout
from ..shopper.record import keep_since
from .cluster import Cluster
from .connection import connect, deadline

EVERY = 30.0  # seconds
BATCH = 500
MOST_BATCHES = 20
PAUSE = 0.1  # between two batches, for customers
DELETE = """
DELETE FROM orders WHERE id IN (
    SELECT id FROM orders WHERE created_at < to_timestamp(%(before)s) ORDER BY created_at LIMIT %(batch)s)
"""


class Retention:
    """Of one lab; ``log`` gets a line for what was done and for what cannot be."""

    def __init__(self, layout: Layout, log: Callable[[str], None]) -> None:
        self.layout = layout
        self._log = log
        self._said = ""

    def run(self) -> None:
        """A round every half minute, for ever."""
        while True:
            time.sleep(EVERY)
            try:
                if not active(self.layout):
                    self.round()
                self._said = ""
            except (psycopg.Error, LabError, OSError) as error:
                said = " ".join(str(error).split())
                if said != self._said:
                    self._log(f"nothing too old was dropped: {said}")
                self._said = said

    def round(self) -> int:
        """Drop what is too old, and take a backup where the newest is half as old; how many orders were dropped."""
        before = time.time() - self.layout.orders_kept
        dropped = self._drop_orders(before)
        cluster = Cluster(self.layout)
        newest = max((backup.ended.timestamp() for backup in cluster.backups.all()), default=0.0)
        if newest < before + self.layout.orders_kept / 2:
            cluster.back_up()
        cluster.backups.prune(datetime.fromtimestamp(before, UTC))
        return dropped

    def _drop_orders(self, before: float) -> int:
        """In small batches; their items and payments go with them."""
        dropped = 0
        with connect(self.layout, Cluster(self.layout).primary().name) as connection, deadline(connection, EVERY):
            connection.execute("SET statement_timeout = '2s'; SET lock_timeout = '1s'; SET synchronous_commit = local")
            row = connection.execute("SELECT extract(epoch FROM min(created_at))::float8 FROM orders").fetchone()
            if row is None or row[0] is None or row[0] >= before:
                return 0
            keep_since(self.layout, before)  # first: who reads meanwhile must not take age for loss
            for _ in range(MOST_BATCHES):
                count = connection.execute(DELETE, {"before": before, "batch": BATCH}).rowcount
                dropped += count
                if count < BATCH:
                    break
                time.sleep(PAUSE)
        return dropped
