# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of few repetitions, without more precision than they have."""

from __future__ import annotations

import pytest
from dhakacart_runbooks.drill.statistics import nearest_rank, regression, sparkline, summary


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([1.0], 95, 1.0),
        ([5.0, 1.0, 3.0, 2.0, 4.0], 95, 5.0),
        ([5.0, 1.0, 3.0, 2.0, 4.0], 50, 3.0),
        ([float(n) for n in range(1, 21)], 95, 19.0),
        ([float(n) for n in range(1, 101)], 95, 95.0),
        ([float(n) for n in range(1, 101)], 100, 100.0),
        ([1.0, 2.0], 1, 1.0),
    ],
)
def test_the_nearest_rank_is_always_a_value_that_was_measured(
    values: list[float], percent: float, expected: float
) -> None:
    assert nearest_rank(values, percent) == expected


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_a_percentage_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="percentage"):
        nearest_rank([1.0], percent)


def test_nothing_measured_has_no_percentile_and_no_summary() -> None:
    with pytest.raises(ValueError, match="no values"):
        nearest_rank([], 95)
    assert summary([]) is None
    assert summary([None, None]) is None


def test_a_summary_leaves_out_what_was_not_measured_and_says_how_many_were() -> None:
    found = summary([4.0, None, 2.0, 9.0, 3.0])
    assert found is not None
    assert (found.n, found.median, found.p95, found.minimum, found.maximum) == (4, 3.5, 9.0, 2.0, 9.0)


def test_a_sparkline_has_a_character_for_each_run() -> None:
    assert sparkline([1.0, None, 8.0]) == "▁·█"
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([None]) == "·"
    assert sparkline([]) == ""


def test_a_run_much_slower_than_the_median_before_it_is_a_regression() -> None:
    assert regression([10.0, 11.0, 12.0, 20.0]) == "slower: 20.0 s, median before 11.0 s"


@pytest.mark.parametrize(
    "values",
    [
        [10.0, 11.0, 20.0],  # not enough before it
        [10.0, 11.0, 12.0, 13.0],  # within a quarter
        [1.0, 1.0, 1.0, 3.0],  # three times as much, and still the machine's noise
        [10.0, 11.0, 12.0, None],  # not measured
        [20.0, 21.0, 22.0, 5.0],  # faster
        [None, None, 10.0, 40.0],  # one to compare with is no usual
    ],
)
def test_noise_gaps_and_good_news_are_no_regression(values: list[float | None]) -> None:
    assert regression(values) == ""
