# SPDX-License-Identifier: BSD-2-Clause
"""Ends sessions that exhaust, block or run away: chosen purely from facts, ended only if still the same."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from ..core.errors import ConfigurationError, Unexpected
from ..judging import Facts, NotJudged, number, part, rows
from . import client, queries
from .arguments import Settings, Thresholds
from .availability import live

MODES: Final = ("exhaust", "block", "runaway")
_POLL_SECONDS = 0.05


def sessions_to_end(
    facts: Mapping[str, Any],
    mode: str,
    *,
    app_user: str = "dhakacart",
    thresholds: Thresholds | None = None,
) -> list[dict[str, Any]]:
    """The sessions to end, each with ``reason`` and what identifies it; facts must be read with ``sessions=True``.

    Never a replication, superuser or own session.

    :param mode: ``exhaust``: idle sessions of the group (user, application, client) with most of them, a stranger's
        before the shop's own; ``block``: sessions at the root of lock waits; ``runaway``: queries over the
        critical threshold that wait neither for a lock nor for the standby.
    :raises ConfigurationError: the mode is unknown.
    :raises NotJudged: the facts do not carry the choice.
    """
    limits = thresholds or Thresholds()
    server = live(facts, "primary")
    sessions = [row for row in rows(server, "sessions") if _may_end(row)]
    if mode == "exhaust":
        return _greedy(sessions, app_user)
    if mode == "block":
        roots = {root.get("pid"): root for root in rows(part(server, "blocking"), "roots")}
        return [
            _victim(row, f"blocks {roots[row['pid']].get('victims')} sessions, {row.get('state')}")
            for row in sessions
            if row.get("pid") in roots
        ]
    if mode == "runaway":
        return [
            _victim(row, f"has run for {number(row, 'query_seconds'):.0f} s")
            for row in sessions
            if row.get("state") == "active"
            and not row.get("blocked_by")
            and row.get("wait_event") != "SyncRep"  # it is done but for the standby: nothing to gain, much to doubt
            and number(row, "query_seconds") >= limits.long_query_critical_seconds
        ]
    raise ConfigurationError(f"unknown mode {mode!r}", where="mode", remedy=f"one of {', '.join(MODES)}")


def _may_end(row: Facts) -> bool:
    for key in ("own", "superuser", "replication"):
        if not isinstance(row.get(key), bool):
            raise NotJudged(f"a session does not say whether it is {key}")
    protected = row["own"] or row["superuser"] or row["replication"]
    return not protected and row.get("backend_type") == "client backend"


def _greedy(sessions: list[Facts], app_user: str) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Facts]] = {}
    for row in sessions:
        groups.setdefault((row.get("user"), row.get("application"), row.get("client")), []).append(row)
    idle = {key: [row for row in members if row.get("state") == "idle"] for key, members in groups.items()}
    candidates = [key for key, members in idle.items() if members]
    if not candidates:
        return []
    # A stranger's idle sessions cost nobody an order; the shop's own are reopened by its pool.
    chosen = max(candidates, key=lambda key: (key[0] != app_user and len(idle[key]) > 1, len(idle[key])))
    who = f"{chosen[0]} / {chosen[1] or 'unnamed'} from {chosen[2]}"
    reason = f"idle, one of {len(groups[chosen])} connections of {who}"
    return [_victim(row, reason) for row in idle[chosen]]


def _victim(row: Facts, reason: str) -> dict[str, Any]:
    identity = ("pid", "backend_start", "state", "transaction_start", "query_start")
    shown = ("user", "application", "client", "query")
    return {key: row.get(key) for key in (*identity, *shown)} | {"reason": reason}


def end_sessions(settings: Settings, victims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ends each victim if it is still the session, in the state and query, that was judged.

    A process id is used again, and a session judged idle may have begun to work: one statement compares and ends.

    :returns: the victims with ``outcome``: ``ended``, ``changed`` (not the same any more, left alone) or ``resisting``
        (signalled, but still there when ``settings.timeout`` was over).
    :raises ReadError: the server cannot be used; sessions ended before that stay ended.
    """
    outcomes: list[dict[str, Any]] = []
    if not victims:
        return outcomes
    with client.connect(settings, settings.host, settings.port) as server:
        client.guard(server, settings)
        deadline = time.monotonic() + settings.timeout * 0.8
        for victim in victims:
            signalled = server.query(queries.TERMINATE, _identity(victim, server.endpoint))
            ended = bool(signalled and signalled[0]["signalled"])
            outcomes.append({**victim, "outcome": "signalled" if ended else "changed"})
        while True:
            waiting = {(row["pid"], row["backend_start"]): row for row in outcomes if row["outcome"] == "signalled"}
            if not waiting:
                break
            there = server.query(queries.STILL_THERE, ([identity[0] for identity in waiting],))
            left = {(row["pid"], row["backend_start"]) for row in there}
            over = time.monotonic() >= deadline
            for identity, outcome in waiting.items():
                if identity not in left:
                    outcome["outcome"] = "ended"
                elif over:
                    outcome["outcome"] = "resisting"
            if not over:
                time.sleep(_POLL_SECONDS)
    return outcomes


def _identity(victim: Mapping[str, Any], endpoint: str) -> tuple[Any, ...]:
    if not isinstance(victim.get("pid"), int) or not victim.get("backend_start"):
        raise Unexpected("a session to end has no pid or backend_start", where=endpoint)
    return tuple(victim.get(key) for key in ("pid", "backend_start", "state", "transaction_start", "query_start"))
