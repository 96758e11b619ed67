# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of settings and replication between two healthy servers."""

from __future__ import annotations

from ..lab import Lab
from .fault import Fault


def _pause_replay(lab: Lab) -> None:
    with lab.cluster.connect(lab.cluster.standby().name) as standby:
        standby.execute("select pg_wal_replay_pause()")


def _point_receiver_at_nothing(lab: Lab) -> None:
    """What a lost password or a moved primary does: the standby answers queries and cannot follow."""
    with lab.cluster.connect(lab.cluster.standby().name) as standby:
        standby.execute("alter system set primary_conninfo = 'host=127.0.0.1 port=1 connect_timeout=2'")
        standby.execute("select pg_reload_conf()")


def _fence_the_primary(lab: Lab) -> None:
    with lab.cluster.connect() as primary:
        primary.execute("alter system set default_transaction_read_only = on")
        primary.execute("select pg_reload_conf()")


FAULTS = (
    Fault(
        "primary-read-only",
        "Somebody made the primary read-only by a setting.",
        "primary_read_only",
        None,
        _fence_the_primary,
        settle=2,
    ),
    Fault(
        "standby-lag",
        "The standby receives but does not replay.",
        "standby_lag",
        None,
        _pause_replay,
        settle=8,  # longer than the lab's limit for lag, 5 s
    ),
    Fault(
        "replication-broken",
        "The standby answers, but has lost its connection to the primary.",
        "replication_broken",
        None,
        _point_receiver_at_nothing,
        settle=4,
    ),
)
