# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults between the shop and its database."""

from __future__ import annotations

from .. import edge
from ..lab import Lab
from .fault import Fault


def _swap_roles_behind_the_endpoint(lab: Lab) -> None:
    """A failover whose DNS change never arrived: the servers swapped roles, the endpoint did not move."""
    old = lab.cluster.primary().name
    lab.cluster.switch_over()
    edge.point(lab.layout, "primary", old)
    edge.point(lab.layout, "replica", lab.cluster.primary().name)


FAULTS = (
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
