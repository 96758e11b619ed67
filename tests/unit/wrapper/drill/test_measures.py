# SPDX-License-Identifier: GPL-3.0-or-later
"""From the shopper's record to RTO and RPO."""

from __future__ import annotations

import pytest
from dhakacart_lab.shopper.attempt import Attempt, Outcome
from dhakacart_lab.shopper.record import outages
from dhakacart_runbooks.drill.measures import downtime, loss

from .doubles import Order, Out

FAULT = 1000.0


def test_an_outage_counts_from_its_first_failed_order_to_the_first_that_works_again() -> None:
    found = downtime([Out(FAULT + 0.4, FAULT + 12.6)], FAULT)
    assert found.seconds == pytest.approx(12.2)
    assert found.outages == 1


def test_no_outage_is_zero_seconds_and_over() -> None:
    found = downtime([], FAULT)
    assert (found.seconds, found.outages, found.over) == (0.0, 0, True)


def test_a_shop_that_comes_back_and_fails_again_was_down_all_the_time() -> None:
    found = downtime([Out(FAULT + 20, FAULT + 25), Out(FAULT + 1, FAULT + 10)], FAULT)
    assert (found.seconds, found.outages) == (24.0, 2)


def test_an_outage_that_lasts_has_no_length_whatever_ended_before_it() -> None:
    found = downtime([Out(FAULT + 1, FAULT + 5), Out(FAULT + 8, None)], FAULT)
    assert found.seconds is None
    assert not found.over


def test_what_began_before_the_fault_or_after_the_drill_is_not_the_drills() -> None:
    found = downtime([Out(FAULT - 5, FAULT + 30), Out(FAULT + 90, None)], FAULT, until=FAULT + 60)
    assert (found.seconds, found.outages) == (0.0, 0)


def test_it_reads_what_the_shopper_really_writes() -> None:
    def attempt(number: int, good: bool) -> Attempt:
        begin = FAULT + number * 0.2
        outcome = Outcome.ACKNOWLEDGED if good else Outcome.FAILED
        return Attempt(
            str(number), 1, begin, begin + 0.05, outcome, 201 if good else 503, f"N{number}" if good else None
        )

    record = [attempt(n, not 10 <= n < 40) for n in range(60)]
    found = downtime(outages(record, FAULT), FAULT)
    # The first to fail begins at 2.0 s; the first of the good ones is acknowledged at 8.05 s.
    assert found.seconds == pytest.approx(6.05)


def test_lost_orders_span_from_the_oldest_of_them_to_the_failure() -> None:
    found = loss([Order("a", FAULT - 7), Order("b", FAULT - 2)], [], FAULT)
    assert (found.count, found.seconds) == (2, 7.0)


def test_orders_lost_after_the_failure_widen_the_span() -> None:
    found = loss([Order("a", FAULT - 1), Order("b", FAULT + 4)], [], FAULT)
    assert (found.count, found.seconds) == (2, 5.0)


def test_orders_that_were_missing_before_the_drill_are_not_its_loss() -> None:
    assert loss([Order("old", FAULT - 500)], ["old"], FAULT).count == 0
    assert loss([Order("old", FAULT - 500), Order("new", FAULT - 1)], ["old"], FAULT).seconds == 1.0
