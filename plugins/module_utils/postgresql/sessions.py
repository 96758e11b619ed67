# SPDX-License-Identifier: BSD-2-Clause
"""Judgements on sessions: how many, who waits, who holds, who runs too long."""

from __future__ import annotations

from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, graded, judges, number, optional_number, part, rows, seconds
from .arguments import Thresholds
from .availability import failure, live, server_facts

_RESERVED = ("superuser_reserved_connections", "reserved_connections", "rds.rds_superuser_reserved_connections")


@judges("postgresql.connections", "primary")
def connections(facts: Facts, limits: Thresholds) -> Finding:
    """How close is the primary to refusing connections?"""
    kind, reason = failure(server_facts(facts, "primary"))
    if kind == "overloaded":
        evidence: dict[str, Any] = {"kind": "overloaded", "reason": reason, "used": None, "groups": []}
        cause = "every connection is taken, even those reserved"
        return Finding("postgresql.connections", "primary", Status.CRITICAL, reason, evidence, cause)
    server = live(facts, "primary")
    settings, activity = part(server, "settings"), part(server, "activity")
    maximum = number(settings, "max_connections", at_least=1)
    usable = maximum - sum(optional_number(settings, name) or 0 for name in _RESERVED)
    if usable < 1:
        raise NotJudged(f"only {usable:g} of {maximum:g} connections are not reserved")
    used = number(activity, "used", at_most=maximum)
    percent = 100 * used / usable
    groups = rows(activity, "groups")
    evidence = {
        "used": used,
        "usable": usable,
        "max_connections": maximum,
        "used_pct": round(percent, 1),
        "by_state": activity.get("by_state"),
        "groups": groups,
        "oldest_idle_seconds": activity.get("oldest_idle_seconds"),
    }
    status = graded(percent, limits.connections_warning_pct, limits.connections_critical_pct)
    limit = f"limit {limits.connections_warning_pct:g} %"
    summary = f"{used:.0f} of {usable:.0f} usable connections in use ({percent:.0f} %, {limit})"
    cause = step = ""
    if status > Status.OK and groups:
        top = groups[0]
        cause = (
            f"{top.get('connections')} are {top.get('user')} / {top.get('application') or 'unnamed'}"
            f" from {top.get('client')}, {top.get('idle')} of them idle"
        )
        step = "end the idle sessions of that group, then fix its pool"
    return Finding("postgresql.connections", "primary", status, summary, evidence, cause, step)


@judges("postgresql.locks", "primary")
def locks(facts: Facts, limits: Thresholds) -> Finding:
    """Do sessions wait for a lock that somebody holds too long?"""
    blocking = part(live(facts, "primary"), "blocking")
    blocked = number(blocking, "blocked")
    longest = number(blocking, "longest_wait_seconds")
    roots = rows(blocking, "roots")
    held = max((optional_number(root, "held_seconds") or 0.0 for root in roots), default=0.0)
    evidence = {"blocked": blocked, "longest_wait_seconds": longest, "longest_held_seconds": held, "roots": roots}
    name, component = "postgresql.locks", "primary"
    if not blocked:
        return Finding(name, component, Status.OK, "no session waits for a lock", evidence)
    # A client with a deadline gives up and comes again: nobody waits long, and yet nobody gets through. So what counts
    # is also how long the one at the root has had its transaction open.
    worst = max(longest, held)
    status = graded(worst, limits.blocked_warning_seconds, limits.blocked_critical_seconds)
    if blocked >= limits.blocked_critical_sessions and worst >= limits.blocked_warning_seconds:
        status = Status.CRITICAL
    summary = (
        f"{blocked:.0f} sessions wait for a lock, the longest {seconds(longest)}, held for {seconds(held)}"
        f" (limit {seconds(limits.blocked_warning_seconds)})"
    )
    cause = step = ""
    if status > Status.OK and roots:
        root = roots[0]
        cause = (
            f"pid {root.get('pid')} ({root.get('user')}, {root.get('application') or 'unnamed'},"
            f" {root.get('state')}) blocks {root.get('victims')}"
        )
        step = "ask its owner, or end that session"
    return Finding(name, component, status, summary, evidence, cause, step)


@judges("postgresql.long_queries", "primary")
def long_queries(facts: Facts, limits: Thresholds) -> Finding:
    """Does a query run too long? One that waits for a lock or for the standby is judged by what it waits for."""
    server = live(facts, "primary")
    found = rows(part(server, "activity"), "long_queries")
    running = [row for row in found if not row.get("waits")]
    longest = max((number(row, "seconds") for row in running), default=0.0)
    status = graded(longest, limits.long_query_warning_seconds, limits.long_query_critical_seconds)
    over = [row for row in running if number(row, "seconds") >= limits.long_query_warning_seconds]
    evidence = {"queries": over, "longest_seconds": longest}
    name, component = "postgresql.long_queries", "primary"
    limit = f"limit {seconds(limits.long_query_warning_seconds)}"
    if not over:
        return Finding(name, component, Status.OK, f"longest running query {seconds(longest)} ({limit})", evidence)
    first = over[0]
    return Finding(
        name,
        component,
        status,
        f"{len(over)} queries over the limit, the longest {seconds(longest)} ({limit})",
        evidence,
        f"pid {first.get('pid')} ({first.get('user')}, {first.get('application') or 'unnamed'}): {first.get('query')}",
        "ask its owner, or end that session",
    )


@judges("postgresql.idle_in_transaction", "primary")
def idle_in_transaction(facts: Facts, limits: Thresholds) -> Finding:
    """Does a session keep a transaction open and do nothing?"""
    found = rows(part(live(facts, "primary"), "activity"), "idle_in_transaction")
    oldest = max((number(row, "seconds") for row in found), default=0.0)
    status = graded(oldest, limits.idle_in_transaction_warning_seconds, limits.idle_in_transaction_critical_seconds)
    evidence = {"sessions": found, "oldest_seconds": oldest}
    limit = f"limit {seconds(limits.idle_in_transaction_warning_seconds)}"
    summary = f"{len(found)} idle in transaction, the oldest {seconds(oldest)} ({limit})" if found else "none"
    cause = "an application forgot to commit; its locks and old row versions stay" if status > Status.OK else ""
    return Finding("postgresql.idle_in_transaction", "primary", status, summary, evidence, cause)
