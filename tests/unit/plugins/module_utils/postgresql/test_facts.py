# SPDX-License-Identifier: GPL-3.0-or-later
"""How sessions are summed up."""

from __future__ import annotations

from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql.facts import summarise


def row(pid: int, blocked_by: list[int] | None = None, **other: Any) -> dict[str, Any]:
    return {
        "pid": pid,
        "user": "dhakacart",
        "application": "",
        "client": "10.0.0.1",
        "state": "active",
        "backend_type": "client backend",
        "own": False,
        "state_seconds": 1.0,
        "transaction_seconds": 2.0,
        "query_seconds": 3.0,
        "backend_start": "x",
        "wait_type": "Lock" if blocked_by else "",
        "wait_event": "",
        "blocked_by": blocked_by or [],
        "query": "UPDATE products SET stock = 5 WHERE name = 'it''s'",
        **other,
    }


def test_victims_are_counted_along_the_whole_queue() -> None:
    blocking = summarise([row(1), row(2, [1]), row(3, [2]), row(4, [2, 3]), row(5)], with_sessions=False)["blocking"]
    assert blocking["blocked"] == 3
    assert [(root["pid"], root["victims"]) for root in blocking["roots"]] == [(1, 3)]


def test_a_blocker_that_is_no_session_any_more_is_named_by_its_pid() -> None:
    blocking = summarise([row(2, [99])], with_sessions=False)["blocking"]
    assert blocking["roots"] == [{"pid": 99, "victims": 1, "state": "unknown"}]


def test_a_deadlock_has_no_root_and_does_not_hang() -> None:
    assert summarise([row(1, [2]), row(2, [1])], with_sessions=False)["blocking"]["roots"] == []


def test_own_sessions_and_wal_senders_are_told_apart() -> None:
    rows = [row(1, own=True), row(2), row(3, backend_type="walsender")]
    activity = summarise(rows, with_sessions=False)["activity"]
    assert (activity["used"], activity["own"]) == (2, 1)


def test_literals_leave_the_queries() -> None:
    result = summarise([row(1)], with_sessions=True)
    assert result["sessions"][0]["query"] == "UPDATE products SET stock = ? WHERE name = ?"
