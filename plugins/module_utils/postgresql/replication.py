# SPDX-License-Identifier: BSD-2-Clause
"""Judgements on replication, from both sides where both can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, flag, graded, judges, number, optional_number, part, rows, seconds, text
from .arguments import Thresholds
from .availability import failure, live, server_facts

GIGABYTE = 1024**3


@judges("postgresql.replication", "standby")
def replication(facts: Facts, limits: Thresholds) -> Finding:
    """Does the standby stream from the primary?"""
    upstream = _upstream(facts)
    downstream = _downstream(facts, limits)
    if downstream is not None and upstream is not None and upstream["streaming"]:
        downstream["hears_primary"] = downstream["streaming"]  # an idle primary may be silent for half a minute
    if upstream is None and downstream is None:
        kind = failure(server_facts(facts, "primary"))[0]
        raise NotJudged("neither the primary nor the standby can be read", kind)
    evidence: dict[str, Any] = {
        "primary_reachable": upstream is not None,
        "judged_from": [side for side, seen in (("primary", upstream), ("standby", downstream)) if seen is not None],
        **(upstream or {"standbys": None}),
        **(downstream or {"receiver_status": None, "last_message_seconds": None, "hears_primary": None}),
    }
    sides = [side["streaming"] for side in (upstream, downstream) if side is not None]
    if upstream is None and downstream is not None:
        sides = [downstream["hears_primary"]]
    evidence["streaming"] = all(sides)
    if sides == [None]:
        reason = "the standby has heard nothing for seconds, too short to tell silence from death"
        return Finding(
            "postgresql.replication",
            "standby",
            Status.UNKNOWN,
            reason,
            {**evidence, "streaming": None, "kind": "ambiguous", "reason": reason},
            "",
            "look again in a few seconds",
        )
    age = evidence["last_message_seconds"]
    heard = f"last message from the primary {seconds(age)} ago" if age is not None else "no message from the primary"
    if all(sides):
        source = "streaming" if upstream is not None else "the standby still hears from the primary"
        summary = f"{source}, {heard}" if downstream is not None else f"{source}, as the primary sees it"
        return Finding("postgresql.replication", "standby", Status.OK, summary, evidence)
    if upstream is None:
        summary, cause = f"the stream from the primary broke: {heard}", "the primary is gone or cut off"
    elif any(standby.get("state") in ("catchup", "startup") for standby in upstream["standbys"]):
        evidence["catching_up"] = True
        summary = "the standby is connected and catching up"
        return Finding("postgresql.replication", "standby", Status.WARNING, summary, evidence, "", "watch the lag fall")
    elif downstream is None:
        summary, cause = "no standby streams from the primary", "the standby is down or cut off"
    else:
        summary = f"not streaming: {len(upstream['standbys'])} connected, receiver {evidence['receiver_status']}"
        cause = "the standby runs but cannot follow: login, slot, removed WAL or network"
    return Finding(
        "postgresql.replication",
        "standby",
        Status.CRITICAL,
        summary,
        evidence,
        cause,
        "read the standby's log; check primary_conninfo, the replication user and the slot",
    )


def _upstream(facts: Facts) -> dict[str, Any] | None:
    """What the primary sees; None if it cannot tell."""
    try:
        server = live(facts, "primary")
        if flag(part(server, "server"), "in_recovery"):
            return None
        standbys = rows(server, "standbys")
    except NotJudged:
        return None
    wanted = ("application", "client", "state", "sync_state", "replay_lag_bytes", "replay_lag_seconds")
    trimmed = [{key: standby.get(key) for key in wanted} for standby in standbys]
    return {"streaming": any(standby["state"] == "streaming" for standby in trimmed), "standbys": trimmed}


def _downstream(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """What the standby sees; None if it cannot tell."""
    try:
        server = live(facts, "replica")
        if not flag(part(server, "server"), "in_recovery"):
            return None
        receiver = part(server, "receiver")
        status = text(receiver, "status")
        age = optional_number(receiver, "last_message_seconds")
    except NotJudged:
        return None
    recovery = server.get("recovery")
    streaming = status == "streaming"
    return {
        "streaming": streaming,
        "receiver_status": status,
        "last_message_seconds": age,
        "hears_primary": _hears(streaming, age, _attempt_seconds(facts), limits),
        "sender_host": receiver.get("sender_host"),
        "replay_paused": recovery.get("replay_paused") if isinstance(recovery, Mapping) else None,
    }


def _hears(streaming: bool, age: float | None, attempt: float, limits: Thresholds) -> bool | None:
    """Is the primary alive as the standby sees it? None while the silence is too short to tell.

    :param attempt: seconds in which the primary did not answer us; a message in that time proves it alive.
    """
    if not streaming or age is None or age >= limits.receiver_silence_seconds:
        return False
    return True if age < max(1.0, attempt) else None


def _attempt_seconds(facts: Facts) -> float:
    try:
        return number(server_facts(facts, "primary"), "seconds")
    except NotJudged:
        return 0.0


@judges("postgresql.lag", "standby")
def lag(facts: Facts, limits: Thresholds) -> Finding:
    """How far behind is what the standby shows?"""
    server = live(facts, "replica")
    if not flag(part(server, "server"), "in_recovery"):
        raise NotJudged("the replica endpoint does not answer as a standby", "role")
    recovery = part(server, "recovery")
    receiver = server.get("receiver")
    streaming = isinstance(receiver, Mapping) and receiver.get("status") == "streaming"
    unreplayed = number(recovery, "unreplayed_bytes")
    primary_lsn = _primary_lsn(facts)
    replay_lsn = text(recovery, "replay_lsn")
    behind_bytes = None if primary_lsn is None else lsn_number(primary_lsn) - lsn_number(replay_lsn)
    evidence: dict[str, Any] = {
        "lag_seconds": None,
        "lag_bytes": behind_bytes,
        "unreplayed_bytes": unreplayed,
        "receive_lsn": recovery.get("receive_lsn"),
        "replay_lsn": replay_lsn,
        "primary_lsn": primary_lsn,
        "replay_paused": recovery.get("replay_paused"),
        "replayed_all_received": unreplayed == 0,
    }
    name, component = "postgresql.lag", "standby"
    if streaming:
        behind = optional_number(recovery, "lag_seconds")
    elif behind_bytes is not None and behind_bytes <= 0:
        behind = 0.0
    elif primary_lsn is None:
        replayed = "replayed all it received" if unreplayed == 0 else f"{unreplayed:.0f} bytes received, not replayed"
        summary = f"not streaming and the primary cannot be asked; {replayed} (to {replay_lsn})"
        kind = {"kind": "not_streaming", "reason": summary}
        return Finding(name, component, Status.UNKNOWN, summary, {**evidence, **kind})
    else:
        behind = optional_number(recovery, "last_replayed_seconds")  # the stream is broken and the primary went on
    if behind is None:
        raise NotJudged("no transaction was replayed yet", "missing")
    evidence["lag_seconds"] = behind
    status = graded(behind, limits.lag_warning_seconds, limits.lag_critical_seconds)
    paused = recovery.get("replay_paused") is True
    if paused:
        status = max(status, Status.WARNING)
    summary = f"{seconds(behind)} behind (limit {seconds(limits.lag_warning_seconds)})"
    cause = "replay is paused on the standby" if paused else ""
    if status > Status.OK and not cause:
        cause = "replay cannot keep up, or a query on the standby holds it" if unreplayed else "WAL arrives too slowly"
    step = "select pg_wal_replay_resume() on the standby" if paused else ""
    return Finding(name, component, status, summary + (", replay paused" if paused else ""), evidence, cause, step)


def _primary_lsn(facts: Facts) -> str | None:
    try:
        server = part(live(facts, "primary"), "server")
        return None if flag(server, "in_recovery") else text(server, "current_lsn")
    except NotJudged:
        return None


def lsn_number(lsn: str) -> int:
    """The byte position of a log sequence number such as ``0/5A2C1F0``."""
    try:
        high, low = lsn.split("/")
        return (int(high, 16) << 32) + int(low, 16)
    except ValueError:
        raise NotJudged(f"{lsn!r} is no log sequence number") from None


@judges("postgresql.sync", "standby")
def sync(facts: Facts, limits: Thresholds) -> Finding:
    """Would a failover now lose an acknowledged transaction?"""
    server = live(facts, "primary")
    if flag(part(server, "server"), "in_recovery"):
        raise NotJudged("the primary endpoint does not answer as a primary", "role")
    standbys = rows(server, "standbys")
    names = part(server, "settings").get("synchronous_standby_names")
    if not isinstance(names, str):
        raise NotJudged("synchronous_standby_names was not read", "missing")
    activity = server.get("activity")
    waiting = activity.get("waiting_for_standby") if isinstance(activity, Mapping) else None
    safe = [row for row in standbys if row.get("sync_state") in ("sync", "quorum") and row.get("state") == "streaming"]
    evidence: dict[str, Any] = {
        "sync_states": {str(row.get("application")): row.get("sync_state") for row in standbys},
        "synchronous_standby_names": names,
        "flush_lag_bytes": min((number(row, "flush_lag_bytes") for row in standbys), default=None),
        "commits_waiting": waiting,
        "commits_blocked": bool(names) and not safe,
    }
    name, component = "postgresql.sync", "standby"
    if safe:
        summary = f"{safe[0].get('application')} is synchronous: a failover loses no acknowledged order"
        return Finding(name, component, Status.OK, summary, evidence)
    if names:
        return Finding(
            name,
            component,
            Status.CRITICAL,
            f"no synchronous standby is connected, so commits wait ({waiting or 0} waiting now)",
            evidence,
            "the synchronous standby is down or cut off",
            "restore the standby, or empty synchronous_standby_names and accept the risk of loss",
        )
    if not standbys:
        return Finding(
            name,
            component,
            Status.CRITICAL,
            "no standby is connected: a failover loses what it did not receive",
            evidence,
            "the standby is down, cut off or was never made",
        )
    behind = f"{evidence['flush_lag_bytes']:.0f} bytes"
    status = Status.OK if limits.asynchronous_accepted else Status.WARNING
    summary = f"asynchronous: a failover now loses what the standby lacks ({behind})"
    return Finding(name, component, status, summary, evidence, "", "set synchronous_standby_names if RPO must be 0")


@judges("postgresql.slots", "primary")
def slots(facts: Facts, limits: Thresholds) -> Finding:
    """Does a replication slot nobody reads hold WAL until the disk is full?"""
    found = rows(live(facts, "primary"), "slots")
    retained = {text(slot, "name"): optional_number(slot, "retained_bytes") or 0.0 for slot in found}
    inactive = [text(slot, "name") for slot in found if not flag(slot, "active")]
    most = max((retained[name] for name in inactive), default=0.0)
    lost = [text(slot, "name") for slot in found if slot.get("wal_status") == "lost"]
    status = graded(most / GIGABYTE, limits.slot_retained_warning_gb, limits.slot_retained_critical_gb)
    evidence = {"slots": [dict(slot) for slot in found], "inactive": inactive, "retained_bytes": most, "lost": lost}
    if lost:
        status = max(status, Status.WARNING)
        summary = f"slot {', '.join(lost)} lost its WAL: its standby must be made anew"
    elif inactive:
        summary = f"{len(inactive)} inactive slot holds {most / GIGABYTE:.1f} GiB of WAL"
    else:
        summary = f"{len(found)} slots, none inactive"
    cause = "a standby or consumer is gone and its slot was left" if status > Status.OK else ""
    return Finding("postgresql.slots", "primary", status, summary, evidence, cause)
