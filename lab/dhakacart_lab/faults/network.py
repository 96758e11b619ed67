# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults between the shop and its database."""

from __future__ import annotations

from .. import edge, process
from ..aws import client
from ..lab import Lab
from .fault import Fault


def _swap_roles_behind_the_endpoint(lab: Lab) -> None:
    """A failover whose DNS change never arrived: the servers swapped roles, the endpoint did not move."""
    old = lab.cluster.primary().name
    lab.cluster.switch_over()
    edge.point(lab.layout, "primary", old)
    edge.point(lab.layout, "replica", lab.cluster.primary().name)


def _promote_and_tell_nobody(lab: Lab) -> None:
    """Somebody promoted the replica when the primary died, and went home."""
    lab.cluster.primary().kill()
    rds, replica = client(lab.layout, "rds"), lab.layout.db_read_replica
    rds.promote_read_replica(DBInstanceIdentifier=replica)

    def promoted() -> bool:
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=replica)["DBInstances"]
        return instance["DBInstanceStatus"] == "available" and "ReadReplicaSourceDBInstanceIdentifier" not in instance

    process.wait_for("the promotion", promoted, timeout=30, interval=0.2)


FAULTS = (
    Fault(
        "replica-promoted",
        "The primary died, the replica was promoted, and the shop was not told.",
        "database_moved",
        "repoint",
        _promote_and_tell_nobody,
        settle=2,
    ),
    Fault(
        "database-network-cut",
        "Packets to the primary's endpoint are dropped; the servers themselves are well.",
        "database_network_cut",
        None,
        lambda lab: edge.set_mode(lab.layout, "primary", "drop"),
    ),
    Fault(
        "endpoint-stale",
        "The servers swapped roles and the primary's endpoint still leads to the old one, now a standby.",
        "endpoint_stale",
        "repoint",
        _swap_roles_behind_the_endpoint,
        settle=2,
    ),
)
