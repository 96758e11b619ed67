# SPDX-License-Identifier: BSD-2-Clause
"""What the Redis facts mean. Pure: no I/O, no clock, no Ansible.

Every finding is always returned; where its facts were not read or are absurd it is ``unknown``, with ``kind`` and
``reason`` as evidence.

====================  ================================================================================================
id (component)        evidence
====================  ================================================================================================
redis.reachable       endpoint, role, version, ping_seconds, clients, clients_pct, master_link_status; kind and reason
redis.memory          used_bytes, limit_bytes, used_pct, policy
redis.evictions       evicted_keys, uptime_seconds, policy
redis.hit_rate        hits, misses, hit_rate_pct
====================  ================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, flag, graded, graded_low, judges, not_read, number, part
from .arguments import Thresholds

MEGABYTE = 1024**2
_UNKNOWN_KINDS = frozenset({"denied", "unexpected", "no_route", "error"})


def judge(facts: Mapping[str, Any], thresholds: Thresholds) -> list[Finding]:
    """All findings on the cache, in the order of the table above."""
    return [
        reachable(facts, thresholds),
        memory(facts, thresholds),
        evictions(facts, thresholds),
        hit_rate(facts, thresholds),
    ]


def _info(facts: Facts) -> Facts:
    if facts.get("error"):
        reason = not_read(facts["error"])
        raise NotJudged(f"Redis cannot be read ({reason.kind})", reason.kind)
    return part(facts, "info")


@judges("redis.reachable", "cache")
def reachable(facts: Facts, limits: Thresholds) -> Finding:
    """Does Redis answer, and in which role?"""
    name, component = "redis.reachable", "cache"
    endpoint = facts.get("endpoint")
    if not flag(facts, "reachable"):
        reason = not_read(facts.get("error") or {"kind": "unexpected", "message": "no answer and no error"})
        status = Status.UNKNOWN if reason.kind in _UNKNOWN_KINDS else Status.CRITICAL
        evidence: dict[str, Any] = {"endpoint": endpoint, "kind": reason.kind, "reason": str(reason)}
        step = "the shop serves from the database meanwhile; log-ins at refresh fail"
        return Finding(name, component, status, f"not usable: {reason}", evidence, "", step)
    info = _info(facts)
    evidence = {
        "endpoint": endpoint,
        "role": info.get("role"),
        "version": info.get("redis_version"),
        "ping_seconds": facts.get("ping_seconds"),
        "clients": number(info, "connected_clients"),
        "clients_pct": None,
        "master_link_status": info.get("master_link_status"),
    }
    if info.get("role") == "slave":
        link = info.get("master_link_status")
        status = Status.WARNING if link == "up" else Status.CRITICAL
        summary = f"{endpoint} is a replica (link to its primary {link}): writes fail"
        return Finding(name, component, status, summary, evidence, "the endpoint leads to a replica")
    if info.get("role") != "master":
        raise NotJudged(f"role is {info.get('role')!r}")
    summary = f"answers on {endpoint}"
    if info.get("maxclients") is not None:
        percent = 100 * evidence["clients"] / number(info, "maxclients", at_least=1)
        evidence["clients_pct"] = round(percent, 1)
        if percent >= limits.clients_warning_pct:
            summary = f"{percent:.0f} % of its connections in use (limit {limits.clients_warning_pct:g} %)"
            return Finding(name, component, Status.WARNING, summary, evidence)
    return Finding(name, component, Status.OK, summary, evidence)


@judges("redis.memory", "cache")
def memory(facts: Facts, limits: Thresholds) -> Finding:
    """How full is Redis, against its own limit or, without one, against the machine's memory?"""
    info = _info(facts)
    used = number(info, "used_memory")
    limit = number(info, "maxmemory")
    own_limit = bool(limit)
    if not own_limit:
        limit = number(info, "total_system_memory", at_least=1)
    percent = 100 * used / limit
    policy = info.get("maxmemory_policy")
    evidence = {"used_bytes": used, "limit_bytes": limit, "used_pct": round(percent, 1), "policy": policy}
    status = graded(percent, limits.memory_warning_pct, limits.memory_critical_pct)
    if own_limit and isinstance(policy, str) and policy.startswith("allkeys"):
        status = min(status, Status.WARNING)  # a full cache that may evict anything goes on working
    whose = "its limit" if own_limit else "the machine's memory (no maxmemory set)"
    summary = (
        f"{used / MEGABYTE:.0f} of {limit / MEGABYTE:.0f} MiB, {percent:.0f} % of {whose}"
        f" (limit {limits.memory_warning_pct:g} %)"
    )
    return Finding("redis.memory", "cache", status, summary, evidence)


@judges("redis.evictions", "cache")
def evictions(facts: Facts, limits: Thresholds) -> Finding:
    """Has Redis thrown keys away for lack of memory? Refresh tokens live there and cannot be rebuilt."""
    info = _info(facts)
    evicted = number(info, "evicted_keys")
    evidence = {
        "evicted_keys": evicted,
        "uptime_seconds": info.get("uptime_in_seconds"),
        "policy": info.get("maxmemory_policy"),
    }
    status = Status.WARNING if evicted >= limits.evictions_warning else Status.OK
    summary = f"{evicted:g} keys evicted since it started"
    cause = "too little memory: log-ins are lost along with cached pages" if status > Status.OK else ""
    return Finding("redis.evictions", "cache", status, summary, evidence, cause)


@judges("redis.hit_rate", "cache")
def hit_rate(facts: Facts, limits: Thresholds) -> Finding:
    """Does the cache spare the database? Counted since Redis started, or since its statistics were reset."""
    info = _info(facts)
    hits, misses = number(info, "keyspace_hits"), number(info, "keyspace_misses")
    total = hits + misses
    if total < max(1, limits.hit_rate_samples):
        raise NotJudged(f"only {total:g} look-ups so far, {limits.hit_rate_samples} are needed", "no_samples")
    percent = 100 * hits / total
    evidence = {"hits": hits, "misses": misses, "hit_rate_pct": round(percent, 1)}
    status = min(graded_low(percent, limits.hit_rate_warning_pct, -1), Status.WARNING)
    summary = f"{percent:.0f} % of look-ups hit (limit {limits.hit_rate_warning_pct:g} %)"
    return Finding("redis.hit_rate", "cache", status, summary, evidence)
