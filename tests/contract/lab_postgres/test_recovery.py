# SPDX-License-Identifier: GPL-3.0-or-later
"""Point-in-time recovery brings back exactly what was committed by then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from dhakacart_lab.layout import LabError
from dhakacart_lab.postgres import Cluster

from .shop import notes, place


def moment(cluster: Cluster) -> datetime:
    with cluster.connect() as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def test_a_restore_stops_between_two_orders(cluster: Cluster) -> None:
    place(cluster, "first")
    between = moment(cluster)
    place(cluster, "second")
    node = cluster.restore(between)
    assert cluster.roles()[node.name] == "recovery"
    restored = notes(cluster, node.name)
    assert "first" in restored
    assert "second" not in restored
    assert {"first", "second"} <= notes(cluster)
    place(cluster, "on the restored node", node.name)


def test_a_restore_takes_the_last_orders_from_the_disk_of_a_dead_primary(cluster: Cluster) -> None:
    place(cluster, "the last order")
    cluster.primary().kill()
    node = cluster.restore(None)
    assert "the last order" in notes(cluster, node.name)


def test_a_restore_to_now_takes_all_there_is(cluster: Cluster) -> None:
    place(cluster, "just now")
    cluster.primary().kill()
    assert "just now" in notes(cluster, cluster.restore(datetime.now(UTC)).name)


def test_a_restore_reaches_over_a_failover(cluster: Cluster) -> None:
    place(cluster, "old primary")
    cluster.fail_over()
    place(cluster, "new primary")
    between = moment(cluster)
    place(cluster, "too late")
    restored = notes(cluster, cluster.restore(between).name)
    assert {"old primary", "new primary"} <= restored
    assert "too late" not in restored


def test_an_adopted_restore_becomes_the_pair_again_at_reset(cluster: Cluster) -> None:
    place(cluster, "kept")
    between = moment(cluster)
    place(cluster, "unwanted")
    cluster.restore(between)
    cluster.adopt_recovery()
    assert cluster.primary().name == "c"
    place(cluster, "after the swap")
    cluster.reset()
    assert set(cluster.roles()) == {"a", "b"}
    assert {"kept", "after the swap"} <= notes(cluster)
    assert "unwanted" not in notes(cluster)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (datetime.now(UTC) - timedelta(days=1), "earliest restorable time"),
        (datetime.now(UTC) + timedelta(days=1), "in the future"),
        (datetime(2026, 1, 1), "no zone"),
    ],
)
def test_a_moment_that_cannot_be_restored_is_refused(cluster: Cluster, target: datetime, words: str) -> None:
    with pytest.raises(LabError, match=words):
        cluster.restore(target)
    assert "c" not in cluster.roles()
