# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a system answers; whether it is well is not asked here."""

from __future__ import annotations

from typing import Any

import pytest
from dhakacart_runbooks.doctor.check import State
from dhakacart_runbooks.doctor.systems import PROBES, answered, checks, clock
from dhakacart_runbooks.finding import Finding, Status


def finding(status: str, name: str = "postgresql.primary", **evidence: Any) -> Finding:
    return Finding(name, "x", Status(status), f"it is {status}", evidence)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (finding("ok"), State.OK),
        (finding("critical", kind="http_status", http_status=503), State.OK),
        (finding("critical", kind="overloaded"), State.OK),
        (finding("critical", kind="refused"), State.UNKNOWN),
        (finding("unknown", kind="no_route"), State.UNKNOWN),
        (finding("critical", kind="no_answer"), State.UNKNOWN),
        (finding("unknown", kind="denied"), State.BAD),
        (finding("critical", kind="denied"), State.BAD),
        (finding("unknown", kind="error"), State.UNKNOWN),
        (None, State.UNKNOWN),
    ],
)
def test_an_answer_is_an_answer_also_one_that_something_is_wrong(found: Finding | None, state: State) -> None:
    check = answered("database", found)
    assert check.state is state
    assert check.remedy or state is State.OK


def test_every_system_has_a_row_also_where_nothing_was_read() -> None:
    rows = list(checks([]))
    assert len(rows) == len(PROBES) + 1
    assert {row.state for row in rows} == {State.UNKNOWN}


def test_a_system_that_could_not_be_asked_at_all_says_why() -> None:
    rows = {row.name: row for row in checks([finding("unknown", "http.api", kind="error")])}
    assert rows["shop"].detail == "it is unknown"


@pytest.mark.parametrize(
    ("skew", "state"), [(0.0, State.OK), (59, State.OK), (-300, State.BAD), (None, State.UNKNOWN), ("x", State.UNKNOWN)]
)
def test_a_clock_that_is_minutes_wrong_is_bad(skew: Any, state: State) -> None:
    assert clock(finding("ok", "kubernetes.api", clock_skew_seconds=skew)).state is state
