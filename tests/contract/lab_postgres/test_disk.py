# SPDX-License-Identifier: GPL-3.0-or-later
"""A full disk really stops orders, and a larger one lets them in again."""

from __future__ import annotations

import psycopg
import pytest
from dhakacart_lab.layout import LabError
from dhakacart_lab.postgres import Cluster

from .shop import notes, place, until

GIB = 1024**3


@pytest.fixture
def small_disk(cluster: Cluster) -> Cluster:
    if not cluster.primary().disk_can_fill:
        pytest.skip(cluster.primary().disk_reason)
    return cluster


def first_failure(cluster: Cluster, attempts: int = 1000) -> tuple[int, psycopg.Error]:
    """How many orders went in before the first that did not, and why it did not."""
    with cluster.connect(user="app") as connection:
        for number in range(attempts):
            try:
                connection.execute("INSERT INTO orders (note) VALUES ('full')")
            except psycopg.Error as error:
                return number, error
    pytest.fail(f"{attempts} orders went in")


def test_a_full_disk_fails_inserts_but_not_reads_and_growing_it_mends_them(small_disk: Cluster) -> None:
    primary = small_disk.primary()
    total, free = primary.disk()
    assert 0 < free < total
    place(small_disk, "before the disk was full")
    primary.fill_disk()
    assert primary.disk()[1] < 4096
    number, error = first_failure(small_disk)
    assert number < 500
    assert isinstance(error, psycopg.errors.DiskFull)
    assert "before the disk was full" in notes(small_disk)
    primary.resize_disk(GIB)
    assert primary.disk()[0] == GIB
    place(small_disk, "after growing")


def test_a_full_disk_without_spare_wal_lets_nobody_in_until_it_grows(small_disk: Cluster) -> None:
    primary = small_disk.primary()
    primary.fill_disk(wal=True)
    with pytest.raises(psycopg.Error):
        place(small_disk, "while full")
    assert "No space left on device" in primary.log.read_text(encoding="utf-8")
    primary.resize_disk(GIB)
    primary.start()

    def works() -> bool:
        try:
            return place(small_disk, "after growing again") > 0
        except psycopg.OperationalError:
            return False

    until("taking orders", works, 10)


def test_a_plain_folder_says_why_it_cannot_be_filled(cluster: Cluster) -> None:
    node = cluster.node("c")  # never has a disk of its own
    assert not node.disk_can_fill
    with pytest.raises(LabError, match="plain folder"):
        node.fill_disk()
