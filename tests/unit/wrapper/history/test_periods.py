# SPDX-License-Identifier: GPL-3.0-or-later
"""Lengths of time, typed and shown."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.history.periods import parse_period, parse_since, show_period


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("1.5h", timedelta(minutes=90)),
        ("2W", timedelta(weeks=2)),
        ("30m", timedelta(minutes=30)),
        ("0s", timedelta(0)),
    ],
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert parse_period(text, "--since") == length


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "7 days", "1y", "99999999999999d"])
def test_anything_else_is_refused_with_the_option_it_was_given_to(text: str) -> None:
    with pytest.raises(UsageError, match=r"--older-than: .*remedy"):
        parse_period(text, "--older-than")


def test_since_is_a_length_of_time_ago_or_a_date() -> None:
    assert parse_since("2h", "--since") == pytest.approx(time.time() - 7200, abs=5)
    assert parse_since("2026-11-01", "--since") == datetime(2026, 11, 1).timestamp()
    with pytest.raises(UsageError, match="neither"):
        parse_since("yesterday", "--since")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.84, "0.8 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (185, "3:05 min"),
        (3599.6, "1 h 0 min"),
        (7800, "2 h 10 min"),
        (100 * 3600, "4 d 4 h"),
    ],
)
def test_a_length_is_shown_as_exactly_as_anybody_needs(seconds: float, shown: str) -> None:
    assert show_period(seconds) == shown
