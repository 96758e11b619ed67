# SPDX-License-Identifier: GPL-3.0-or-later
"""Old orders, backups and WAL are dropped, nobody takes that for a loss, and what is kept can be restored."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dhakacart_lab.layout import Layout
from dhakacart_lab.postgres.cluster import Cluster
from dhakacart_lab.postgres.retention import Retention
from dhakacart_lab.shop import schema
from dhakacart_lab.shopper.attempt import Attempt, Outcome
from dhakacart_lab.shopper.log import OrdersLog
from dhakacart_lab.shopper.record import kept_since, lost_attempts, read

from tests.contract.lab_postgres.conftest import SUBNET, make_layout

HOUR = 3600.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A pair of servers with the shop's tables, apart from the one that the other tests use."""
    folder = Path(tempfile.mkdtemp(prefix="dhakacart-retention-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Cluster(make_layout(folder, SUBNET + 1))
    made.up()
    with made.connect(user="app") as connection:
        schema.install(connection)
        schema.seed(connection)
    yield made
    made.destroy()
    shutil.rmtree(folder)


@pytest.fixture
def short(cluster: Cluster) -> Iterator[Layout]:
    """The layout, with orders kept for an hour."""
    yield replace(cluster.layout, orders_kept=HOUR)
    with cluster.connect() as connection:
        connection.execute("TRUNCATE orders CASCADE")
    cluster.layout.orders_log.unlink(missing_ok=True)
    cluster.layout.kept_since.unlink(missing_ok=True)


def order(cluster: Cluster, layout: Layout, number: str, age: float) -> None:
    """An order that was acknowledged ``age`` seconds ago, in the database and on the shopper's record."""
    moment = time.time() - age
    with cluster.connect(user="app") as connection:
        (made,) = connection.execute(
            "INSERT INTO orders (order_number, user_id, total_amount, shipping_address, created_at)"
            " VALUES (%s, 1, 10, jsonb_build_object('attempt', %s::text), to_timestamp(%s)) RETURNING id",
            [number, number, moment],
        ).fetchone() or (0,)
        connection.execute(
            "INSERT INTO order_items (order_id, product_id, quantity, unit_price) VALUES (%s, 1, 1, 10)",
            [made],
        )
    log = OrdersLog(layout.orders_log)
    log.write(Attempt(number, 1, moment - 0.1, moment, Outcome.ACKNOWLEDGED, 201, number))
    log.close()


def numbers(cluster: Cluster) -> set[str]:
    with cluster.connect() as connection:
        return {number for (number,) in connection.execute("SELECT order_number FROM orders").fetchall()}


def test_only_orders_beyond_the_age_go_with_all_that_belongs_to_them(cluster: Cluster, short: Layout) -> None:
    for number, age in (("old", HOUR + 60), ("young", HOUR - 60), ("new", 1)):
        order(cluster, short, number, age)
    assert Retention(short, print).round() == 1
    assert numbers(cluster) == {"young", "new"}
    with cluster.connect() as connection:
        assert connection.execute("SELECT count(*) FROM order_items").fetchone() == (2,)


def test_what_was_dropped_is_no_loss_and_what_was_lost_still_is(cluster: Cluster, short: Layout) -> None:
    for number, age in (("old", HOUR + 60), ("young", HOUR - 60), ("new", 1)):
        order(cluster, short, number, age)
    Retention(short, print).round()
    with cluster.connect() as connection:
        assert lost_attempts(read(short), connection) == []
        connection.execute("DELETE FROM orders WHERE order_number = 'young'")
        assert [attempt.id for attempt in lost_attempts(read(short), connection)] == ["young"]


def test_while_nothing_is_old_nothing_is_forgotten(cluster: Cluster, short: Layout) -> None:
    order(cluster, short, "new", 1)
    assert Retention(short, print).round() == 0
    assert kept_since(short) == 0.0
    assert [attempt.id for attempt in read(short)] == ["new"]


def test_a_long_backlog_is_dropped_in_batches(cluster: Cluster, short: Layout) -> None:
    with cluster.connect(user="app") as connection:
        connection.execute(
            "INSERT INTO orders (order_number, total_amount, created_at)"
            " SELECT 'n' || i, 1, now() - interval '2 h' FROM generate_series(1, 1700) AS i"
        )
    assert Retention(short, print).round() == 1700
    assert numbers(cluster) == set()


def test_backups_are_taken_in_time_and_old_ones_go_with_the_wal_that_only_they_need(
    cluster: Cluster, short: Layout
) -> None:
    retention = Retention(replace(short, orders_kept=4.0), print)
    backups, archive = cluster.backups, short.folder / "postgres" / "archive"
    first = len(backups.all())
    for _ in range(4):
        with cluster.connect() as connection:
            connection.execute("SELECT pg_logical_emit_message(true, 'x', repeat('x', 100000)), pg_switch_wal()")
        time.sleep(2.2)
        retention.round()
    kept = backups.all()
    assert first >= 1
    now = datetime.now(UTC)
    assert (now - kept[-1].ended).total_seconds() < 4
    assert [backup for backup in kept if (now - backup.ended).total_seconds() > 4][1:] == []
    label = (kept[0].folder / "backup_label").read_text()
    oldest = label.partition("(file ")[2][:24]
    assert min(path.name[8:24] for path in archive.glob("*.gz")) >= oldest[8:]


def test_what_is_kept_can_be_restored(cluster: Cluster, short: Layout) -> None:
    order(cluster, short, "kept", 1)
    cluster.back_up()
    cluster.backups.prune(datetime.now(UTC))
    assert len(cluster.backups.all()) == 1
    order(cluster, short, "later", 0)
    node = cluster.restore(None)
    with cluster.connect(node.name) as connection:
        found = {number for (number,) in connection.execute("SELECT order_number FROM orders").fetchall()}
    cluster.drop_recovery()
    assert found == {"kept", "later"}
    assert not node.disk_folder.exists()
