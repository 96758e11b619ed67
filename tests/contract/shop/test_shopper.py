# SPDX-License-Identifier: GPL-3.0-or-later
"""The shopper's record: what it writes while the shop works and fails, and what follows from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dhakacart_lab import process
from dhakacart_lab.layout import Layout
from dhakacart_lab.shopper import record
from dhakacart_lab.shopper.log import OrdersLog
from dhakacart_lab.shopper.order import place_order
from dhakacart_lab.shopper.record import Attempt, Outage, Outcome


@pytest.fixture(scope="module")
def shop_at_the_door(servers: Any, pod: Any) -> Iterator[Any]:
    """A backend that listens where the load balancer would, so that these tests need no other component."""
    address = servers.layout.load_balancer
    environment = {**servers.environment, "POD_IP": address.host, "PORT": str(address.port)}
    running = process.start_python(servers.layout, "door", "dhakacart_lab.shop", extra_env=environment)
    door = type(pod)(f"http://{address}", servers.layout.logs / "door.log", pod.process)
    process.wait_for("the shop", lambda: place_order(door.url, 2).outcome == "acknowledged", timeout=10)
    yield running
    process.stop(servers.layout, "door")


def test_it_orders_at_its_rate_and_every_acknowledged_order_exists(
    servers: Any, shop_at_the_door: Any, component: Callable[..., Any]
) -> None:
    since = time.time()
    component("shopper", "dhakacart_lab.shopper", SHOPPER_RATE="20")
    process.wait_for("40 orders", lambda: len(record.acknowledged(record.read(servers.layout), since)) >= 40, timeout=8)
    attempts = record.read(servers.layout)
    assert {attempt.outcome for attempt in attempts} == {Outcome.ACKNOWLEDGED}
    rate = (len(attempts) - 1) / (attempts[-1].started - attempts[0].started)
    assert 14 < rate < 25
    with servers.database() as database:
        assert record.lost(record.acknowledged(attempts), database) == []
        assert record.lost_attempts(attempts, database) == []
        gone = attempts[7]
        database.execute("DELETE FROM orders WHERE order_number = %s", [gone.order_number])
        assert record.lost(record.acknowledged(attempts), database) == [gone.order_number]
        # The number was given out again: only the attempt's own mark can tell.
        database.execute("INSERT INTO orders (order_number, total_amount) VALUES (%s, 1)", [gone.order_number])
        assert record.lost(record.acknowledged(attempts), database) == []
        assert record.lost_attempts(attempts, database) == [gone]
    assert record.outages(attempts) == []


def test_a_frozen_shop_is_an_outage_and_the_attempts_go_on(
    servers: Any, shop_at_the_door: Any, component: Callable[..., Any]
) -> None:
    component("shopper", "dhakacart_lab.shopper", SHOPPER_RATE="20")
    begin = time.time()
    process.wait_for(
        "an order", lambda: bool(record.acknowledged(record.read(servers.layout), begin)), timeout=8, interval=0.1
    )
    frozen_at = time.time()
    shop_at_the_door.suspend()
    time.sleep(2.5)
    shop_at_the_door.resume()
    thawed_at = time.time()

    def over() -> bool:
        found = record.outages(record.read(servers.layout), begin)
        return bool(found) and found[-1].end is not None

    process.wait_for("the end of the outage", over, timeout=10, interval=0.2)
    attempts = record.read(servers.layout)
    (outage,) = record.outages(attempts, begin)
    assert outage.end is not None
    assert frozen_at - 0.3 < outage.start < frozen_at + 1.5
    assert thawed_at < outage.end < thawed_at + 1.5
    during = [attempt for attempt in attempts if frozen_at < attempt.started < thawed_at]
    assert len(during) > 30, "an open loop does not wait for a frozen shop"
    assert "shop too slow" in {attempt.error for attempt in during}


def test_one_order_by_hand_tells_what_became_of_it(shop_at_the_door: Any, layout: Layout) -> None:
    good = place_order(f"http://{layout.load_balancer}", 3)
    assert (good.outcome, good.status) == (Outcome.ACKNOWLEDGED, 201)
    assert good.order_number and good.order_number.startswith("ORD-")
    nobody = place_order("http://127.153.3.3:8080", 1)
    assert nobody.outcome is Outcome.FAILED
    assert "refused" in str(nobody.error)
    shop_at_the_door.suspend()
    silent = place_order(f"http://{layout.load_balancer}", 0.3)
    shop_at_the_door.resume()
    assert silent.outcome is Outcome.UNKNOWN


def attempts_from(pattern: str, *, step: float = 0.2, took: float = 0.1) -> list[Attempt]:
    """One attempt a step: ``+`` acknowledged, ``-`` failed, ``?`` unknown; the first starts at 100."""
    outcomes = {"+": Outcome.ACKNOWLEDGED, "-": Outcome.FAILED, "?": Outcome.UNKNOWN}
    return [Attempt(str(n), 1, 100 + n * step, 100 + n * step + took, outcomes[sign]) for n, sign in enumerate(pattern)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("++++++++++++", []),
        ("+++-+++++", []),
        ("+++---+++++", []),
        ("+++------+++++", [(100.6, 101.9)]),
        ("+++??????+++++", [(100.6, 101.9)]),
        ("+++------+-+++++", [(100.6, 102.3)]),
        ("+++------++++", [(100.6, None)]),
        ("+++-------", [(100.6, None)]),
        ("-------+++++", [(100.0, 101.5)]),
        ("+-+-+-+-+-+-+-+-", []),
        ("++------+++++------+++++", [(100.4, 101.7), (102.6, 103.9)]),
        ("", []),
    ],
)
def test_outages_are_what_customers_saw(pattern: str, expected: list[tuple[float, float | None]]) -> None:
    found = record.outages(attempts_from(pattern))
    assert [(outage.start, outage.end) for outage in found] == [
        (pytest.approx(start), None if end is None else pytest.approx(end)) for start, end in expected
    ]


def test_an_attempt_that_was_in_flight_does_not_backdate_the_outage() -> None:
    slow = Attempt("slow", 1, 99.0, 104.0, Outcome.UNKNOWN)
    good = [Attempt(f"g{n}", 1, 99 + n / 5, 99.1 + n / 5, Outcome.ACKNOWLEDGED) for n in range(5)]
    later = [Attempt(f"l{n}", 1, 104 + n / 5, 104.1 + n / 5, Outcome.ACKNOWLEDGED) for n in range(5)]
    assert record.outages([slow, *later, *good]) == [Outage(pytest.approx(99.9), pytest.approx(104.1))]


def test_an_outage_begins_with_the_attempt_that_hung_first_not_with_the_first_refusal() -> None:
    good = Attempt("good", 1, 99.9, 100.0, Outcome.ACKNOWLEDGED)
    hung = [Attempt(f"h{n}", 1, 100.1 + n, 105.1 + n, Outcome.UNKNOWN) for n in range(3)]
    refused = Attempt("r", 0, 103.0, 103.0, Outcome.FAILED)
    assert record.outages([good, refused, *hung]) == [Outage(pytest.approx(100.1), None)]


def test_the_log_keeps_its_last_lines_and_survives_a_torn_one(tmp_path: Path) -> None:
    layout = Layout(name="t", folder=tmp_path, subnet=153, lab_id="t")
    log = OrdersLog(layout.orders_log, kept=10, surplus=5)
    for attempt in attempts_from("+" * 13):
        log.write(attempt)
    log.close()
    with layout.orders_log.open("a", encoding="utf-8") as file:
        file.write('{"id": "torn')
    log = OrdersLog(layout.orders_log, kept=10, surplus=5)
    for attempt in attempts_from("+-?"):
        log.write(attempt)
    log.close()
    found = record.read(layout)
    assert 9 <= len(layout.orders_log.read_text(encoding="utf-8").splitlines()) <= 15
    assert [attempt for attempt in attempts_from("+-?") if attempt not in found] == []
    assert record.read(Layout(name="t", folder=tmp_path / "none", subnet=153, lab_id="t")) == []
