# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent lets commits go on without a standby, and has them wait again once it is back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dhakacart_lab import process
from dhakacart_lab.postgres import Cluster
from dhakacart_lab.postgres.replication import is_streaming

from .shop import place, until


@pytest.fixture
def watched(cluster: Cluster) -> Iterator[Cluster]:
    process.start_python(cluster.layout, "postgres-agent", "dhakacart_lab.postgres.agent")
    until("watching", lambda: "primary is" in said(cluster), 5)
    yield cluster
    process.stop(cluster.layout, "postgres-agent")
    (cluster.layout.logs / "postgres-agent.log").unlink()


def said(cluster: Cluster) -> str:
    path = cluster.layout.logs / "postgres-agent.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def synchronous(cluster: Cluster) -> bool:
    with cluster.connect() as connection:
        row = connection.execute("SHOW synchronous_standby_names").fetchone()
    return row == ("dhakacart_standby",)


def test_a_dead_standby_is_taken_out_and_a_returning_one_put_back(watched: Cluster) -> None:
    watched.standby().kill()
    seconds = until("degraded", lambda: not synchronous(watched), 6)
    assert seconds > 0.5  # 2 s after its last word, which it says every second
    place(watched, "alone")
    assert "synchronous replication off" in said(watched)
    watched.standby().start()
    until("synchronous again", lambda: synchronous(watched), 5)
    assert is_streaming(watched.primary())
    assert "synchronous replication on" in said(watched)


def test_a_commit_waits_for_a_frozen_standby_only_until_it_is_taken_out(watched: Cluster) -> None:
    watched.standby().freeze()
    seconds = until("an order", lambda: place(watched, "slow") > 0, 6)
    assert 0.5 < seconds < 6
    watched.standby().thaw()
    until("synchronous again", lambda: synchronous(watched), 10)


def test_the_agent_outlives_a_frozen_primary_and_follows_a_failover(watched: Cluster) -> None:
    watched.primary().freeze()
    until("reported", lambda: "cannot be asked" in said(watched), 8)
    watched.fail_over()
    new = watched.primary().name
    until("following", lambda: f"primary is {new}" in said(watched), 8)
    place(watched, "on the new primary")
    watched.rebuild_standby()
    until("synchronous", lambda: synchronous(watched), 5)
