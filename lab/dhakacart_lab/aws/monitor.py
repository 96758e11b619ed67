# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what AWS says of the databases true: storage-full, replication, metrics, the latest restorable time.

A primary that is dead or frozen stays ``available`` here. So it does in AWS for minutes, and a lab is about the day
on which Multi-AZ did not fail over by itself: nothing here ever fails over.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import utcnow

from ..layout import LabError
from ..postgres.connection import query
from ..postgres.node import Node
from .rds import LabInstance
from .rds_bridge import GIB, Bridge, one_line

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between looks at the disks
METRICS_EVERY = 5.0  # seconds; AWS takes 60, too slow for a lab's lifetime
KEPT = timedelta(minutes=15)
QUERY_TIMEOUT = 2.0
WAL_FILE = 16 * 1024**2  # bytes; with less than one free, PostgreSQL cannot go on writing
NAMESPACE = "AWS/RDS"

# As AWS does with its rdsadmin, the lab leaves its own connections out.
NUMBERS = """
SELECT (SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> 'dhakacart-lab'),
       CASE WHEN NOT pg_is_in_recovery() THEN NULL
            WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') THEN -1
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), -1) END::float8,
       (SELECT coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) FROM pg_stat_archiver)
"""


class Monitor(threading.Thread):
    """:ivar last_tick: ``time.monotonic()`` of the last whole round, for the health check."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(name="rds-monitor", daemon=True)
        self.bridge = bridge
        self.last_tick = time.monotonic()
        self._metrics = cloudwatch_backends[bridge.layout.account][bridge.layout.region]
        self._next_metrics = 0.0
        self._measured = threading.Event()
        self._said: dict[str, str] = {}
        self._streamed: set[str] = set()  # replicas that were seen to stream: one that never did has not stopped
        self._broken: set[str] = set()

    def run(self) -> None:
        while True:
            with_metrics = time.monotonic() >= self._next_metrics
            for instance in self.bridge.backend.instances():
                self._look(instance, with_metrics)
            if with_metrics:
                self._next_metrics = time.monotonic() + METRICS_EVERY
                self._forget_old()
                self._measured.set()
            self.last_tick = time.monotonic()
            time.sleep(TICK)

    def measure_now(self, timeout: float) -> None:
        """Have metrics that are younger than this call, within ``timeout`` seconds."""
        self._measured.clear()
        self._next_metrics = 0.0
        self._measured.wait(timeout)

    def _look(self, instance: LabInstance, with_metrics: bool) -> None:
        name = instance.db_instance_identifier
        try:
            node = self.bridge.node_of(instance)
            if node is None or not node.exists:
                return
            self._storage(instance, node)
            if with_metrics:
                self._measure(instance, node)
            self._say(name, "")
        except (LabError, OSError, psycopg.Error) as error:
            # A server that cannot be asked has no data points: that is all AWS shows of it, too.
            self._say(name, f"{name}: {one_line(error)}")

    def _say(self, name: str, problem: str) -> None:
        """Log a problem when it begins, not every second."""
        if problem and self._said.get(name) != problem:
            log.warning("%s", problem)
        self._said[name] = problem

    # --- storage

    def _storage(self, instance: LabInstance, node: Node) -> None:
        if not node.disk_can_fill:
            return
        full = node.disk()[1] < WAL_FILE
        if full and instance.status == "available":
            instance.status = "storage-full"
            message = "Allocated storage has been exhausted. Allocate additional storage to resolve."
            instance.backend.note(instance, message, "low storage")
            self.bridge.save()
        elif not full and instance.status == "storage-full":
            instance.status = "available"
            self.bridge.save()

    # --- metrics

    def _measure(self, instance: LabInstance, node: Node) -> None:
        total, free = node.disk()
        # The disk of the lab stands for the allocated one, whatever its real size: the share that is free is true.
        self._publish(instance, "FreeStorageSpace", instance.allocated_storage * GIB * free / total, "Bytes")
        if not node.running() or node.frozen():
            self._replication(instance, None)
            return
        try:
            ((connections, lag, stuck),) = query(self.bridge.layout, node.name, NUMBERS, timeout=QUERY_TIMEOUT)
        except psycopg.Error:
            self._replication(instance, None)
            raise
        self._publish(instance, "DatabaseConnections", connections, "Count")
        if instance.is_replica and lag is not None:
            self._publish(instance, "ReplicaLag", lag, "Seconds")
        self._replication(instance, lag)
        if not instance.is_replica and not stuck:
            # WAL is archived every half minute, and a restore takes what is newer from the disk: up to this moment.
            # When the archive is stuck or the server silent, time stands still for restores.
            instance.restorable_until = utcnow()

    def _publish(self, instance: LabInstance, metric: str, value: float, unit: str) -> None:
        dimensions = [{"Name": "DBInstanceIdentifier", "Value": instance.db_instance_identifier}]
        datum: dict[str, Any] = {"MetricName": metric, "Value": value, "Unit": unit, "Dimensions": dimensions}
        self._metrics.put_metric_data(NAMESPACE, [{**datum, "Timestamp": utcnow()}])

    def _forget_old(self) -> None:
        begin = utcnow() - KEPT
        self._metrics.metric_data[:] = [
            datum for datum in self._metrics.metric_data if datum.namespace != NAMESPACE or datum.timestamp >= begin
        ]

    def _replication(self, instance: LabInstance, lag: float | None) -> None:
        """StatusInfos of a read replica, and RDS's two events of replication."""
        if not instance.is_replica:
            instance.status_infos = []
            return
        streaming = lag is not None and lag >= 0
        instance.status_infos = [
            {
                "StatusType": "read replication",
                "Normal": streaming,
                "Status": "replicating" if streaming else "error",
                **({} if streaming else {"Message": "The read replica does not stream from its source."}),
            }
        ]
        name = instance.db_instance_identifier
        if streaming and name in self._broken:
            instance.backend.note(instance, "Replication for the Read Replica resumed.", "read replica")
        elif not streaming and name in self._streamed and name not in self._broken:
            instance.backend.note(instance, "Replication has stopped.", "read replica")
            self._broken.add(name)
        if streaming:
            self._streamed.add(name)
            self._broken.discard(name)
