# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions are chosen to be ended."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.judging import NotJudged
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql.actions import sessions_to_end


def session(pid: int, user: str = "dhakacart", state: str = "idle", **other: Any) -> dict[str, Any]:
    return {
        "pid": pid,
        "user": user,
        "application": "",
        "client": "10.0.0.1",
        "state": state,
        "backend_type": "client backend",
        "own": False,
        "superuser": False,
        "replication": False,
        "query_seconds": 1.0,
        "blocked_by": [],
        "backend_start": "2026-01-01 00:00:00+00",
        "transaction_start": None,
        "query_start": None,
        "query": "",
        **other,
    }


def facts(*sessions: dict[str, Any], roots: tuple[int, ...] = ()) -> dict[str, Any]:
    blocking = {"blocked": len(roots), "roots": [{"pid": pid, "victims": 3} for pid in roots]}
    return {"primary": {"reachable": True, "sessions": list(sessions), "blocking": blocking}}


def pids(victims: list[dict[str, Any]]) -> list[int]:
    return [victim["pid"] for victim in victims]


def test_exhaust_takes_the_idle_sessions_of_a_stranger_before_a_larger_group_of_the_shop() -> None:
    shop = [session(pid) for pid in range(10)]
    stranger = [session(100 + pid, "reporting") for pid in range(4)]
    busy = session(200, "reporting", "active")
    assert pids(sessions_to_end(facts(*shop, *stranger, busy), "exhaust")) == [100, 101, 102, 103]


def test_exhaust_takes_the_shops_own_idle_sessions_when_nobody_else_has_any() -> None:
    assert pids(sessions_to_end(facts(session(1), session(2), session(3, state="active")), "exhaust")) == [1, 2]


def test_block_takes_the_roots_only() -> None:
    chosen = sessions_to_end(facts(session(1, state="idle in transaction"), session(2), roots=(1,)), "block")
    assert pids(chosen) == [1]
    assert "blocks 3 sessions" in chosen[0]["reason"]


@pytest.mark.parametrize(("seconds", "blocked_by", "expected"), [(59.9, [], []), (60, [], [1]), (600, [9], [])])
def test_runaway_takes_long_queries_that_wait_for_nobody(seconds: float, blocked_by: list[int], expected: Any) -> None:
    one = session(1, state="active", query_seconds=seconds, blocked_by=blocked_by)
    assert pids(sessions_to_end(facts(one), "runaway")) == expected


@pytest.mark.parametrize("mode", ["exhaust", "block", "runaway"])
@pytest.mark.parametrize(
    "protected", [{"own": True}, {"superuser": True}, {"replication": True}, {"backend_type": "walsender"}]
)
def test_own_superuser_and_replication_sessions_are_never_chosen(mode: str, protected: dict[str, Any]) -> None:
    state = "active" if mode == "runaway" else "idle"
    one = session(1, state=state, query_seconds=1e6, **protected)
    assert sessions_to_end(facts(one, roots=(1,)), mode) == []


def test_a_session_that_does_not_say_whether_it_is_protected_stops_the_choice() -> None:
    with pytest.raises(NotJudged):
        sessions_to_end(facts(session(1, superuser=None)), "exhaust")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="one of exhaust, block, runaway"):
        sessions_to_end(facts(), "everything")


def test_an_unreadable_server_gives_no_victims_but_a_reason() -> None:
    with pytest.raises(NotJudged):
        sessions_to_end({"primary": {"reachable": False, "error": {"kind": "refused", "message": "no"}}}, "exhaust")
