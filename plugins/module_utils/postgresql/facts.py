# SPDX-License-Identifier: BSD-2-Clause
"""Reads the primary and the replica endpoint, at the same time and independently: either may be dead."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from ..core.errors import NoAnswer, ReadError, Refused
from ..reading import at_once, error_entry
from ..redaction import query_shape
from . import client, queries
from .arguments import Settings

MAX_SESSIONS = 1000
TOP = 10


def read(settings: Settings) -> dict[str, Any]:
    """What both servers say; takes at most two times ``settings.timeout``.

    :returns: ``{"primary": server, "replica": server}``. A server has ``configured``, ``endpoint``, ``reachable``;
        then either ``error`` (kind, message) or the parts ``server``, ``settings``, ``role_settings``, ``control``,
        ``activity``, ``blocking``, ``standbys``, ``slots``, ``receiver``, ``recovery``, ``database``, ``wal``,
        ``archiver``. A part that could not be read is ``{"error": {"kind", "message"}}``.
    :raises ConfigurationError: the password file or the driver is missing.
    """
    endpoints = {
        "primary": (settings.host, settings.port),
        "replica": (settings.replica_host, settings.replica_port),
    }
    # The reading of a server bounds itself by two timeouts; one second more, and something hangs where it must not.
    answers = at_once(
        {name: partial(read_server, settings, host, port) for name, (host, port) in endpoints.items()},
        2 * settings.timeout + 1,
    )
    facts = {
        name: {**_described(*endpoints[name]), "seconds": 2 * settings.timeout + 1, **answer}
        for name, answer in answers.items()
    }
    _listen_again(settings, facts)
    return facts


def _listen_again(settings: Settings, facts: dict[str, Any]) -> None:
    """Asks the standby once more what it heard, after the time in which the primary did not answer.

    A message that arrived meanwhile proves the primary alive; silence over all that time speaks for its death.
    """
    kind = facts["primary"].get("error", {}).get("kind")
    if kind not in ("no_answer", "no_route") or "receiver" not in facts["replica"]:
        return
    try:
        with client.connect(settings, settings.replica_host, settings.replica_port) as server:
            client.guard(server, settings)
            facts["replica"]["receiver"] = _receiver(server)
    except ReadError as error:
        facts["replica"]["receiver"] = {"error": error_entry(error)}


def _receiver(server: client.Server) -> dict[str, Any]:
    return (server.query(queries.RECEIVER) or [{"status": "absent"}])[0]


def read_server(settings: Settings, host: str, port: int) -> dict[str, Any]:
    """What one server says; an empty host is a server that is not configured."""
    facts = _described(host, port)
    if not host:
        return facts
    started = time.monotonic()
    try:
        with client.connect(settings, host, port) as server:
            facts["address"] = server.reached.address
            facts["connect_seconds"] = round(time.monotonic() - started, 4)
            facts["server"] = server.query(queries.SERVER)[0]
            facts["reachable"] = True
            _read_parts(facts, server, settings)
    except ReadError as error:
        facts["error"] = error_entry(error)
    facts["seconds"] = round(time.monotonic() - started, 4)
    return facts


def _described(host: str, port: int) -> dict[str, Any]:
    return {"configured": bool(host), "reachable": False, "endpoint": f"{host}:{port}" if host else ""}


def _read_parts(facts: dict[str, Any], server: client.Server, settings: Settings) -> None:
    """Each part on its own: a refused or slow statement costs only its part, a dead connection the rest."""
    standby = facts["server"]["in_recovery"] is True

    def sessions() -> dict[str, Any]:
        rows = server.query(queries.SESSIONS.replace("{application}", client.APPLICATION_NAME))
        return summarise(rows, with_sessions=settings.sessions)

    parts: dict[str, Callable[[], Any]] = {
        "settings": lambda: _settings(server.query(queries.SETTINGS)),
        "guard": lambda: client.guard(server, settings),
        "activity": sessions,
        "control": lambda: server.query(queries.CONTROL)[0],
        "slots": lambda: server.query(queries.SLOTS),
    }
    if standby:
        parts["receiver"] = lambda: _receiver(server)
        parts["recovery"] = lambda: server.query(queries.RECOVERY)[0]
    else:
        parts["standbys"] = lambda: server.query(queries.STANDBYS)
        parts["archiver"] = lambda: server.query(queries.ARCHIVER)[0]
    parts["database"] = lambda: (server.query(queries.DATABASE) or [{}])[0]
    parts["role_settings"] = lambda: _role_settings(server.query(queries.ROLE_SETTINGS))
    parts["wal"] = lambda: server.query(queries.WAL_SIZE)[0]

    gone: ReadError | None = None
    for name, read_part in parts.items():
        if gone is not None:
            facts[name] = {"error": error_entry(gone)}
            continue
        try:
            answer = read_part()
        except ReadError as error:
            facts[name] = {"error": error_entry(error)}
            if name == "guard" or (isinstance(error, NoAnswer | Refused) and server.connection.broken):
                gone = error  # never go on in a session that is not guarded
        else:
            if name == "activity":
                facts.update(answer)
            elif name != "guard":
                facts[name] = answer


def summarise(rows: list[dict[str, Any]], *, with_sessions: bool) -> dict[str, Any]:
    """``activity`` and ``blocking`` from the sessions, and the sessions themselves when asked for."""
    for row in rows:
        row["query"] = query_shape(str(row.get("query") or ""))
    clients = [row for row in rows if row["backend_type"] == "client backend"]
    others = [row for row in clients if not row["own"]]
    open_transactions = [row for row in others if row["state"].startswith("idle in transaction")]
    active = [row for row in others if row["state"] == "active" and row["query_seconds"] is not None]
    activity = {
        "used": len(clients),
        "own": len(clients) - len(others),
        "by_state": dict(Counter(row["state"] for row in clients)),
        "groups": _groups(clients),
        "oldest_idle_seconds": _oldest(row["state_seconds"] for row in others if row["state"] == "idle"),
        "oldest_idle_in_transaction_seconds": _oldest(row["state_seconds"] for row in open_transactions),
        "idle_in_transaction": _top(open_transactions, "state_seconds"),
        "long_queries": _top([row for row in active if row["query_seconds"] >= 1], "query_seconds"),
        "waiting_for_standby": sum(row["wait_event"] == "SyncRep" for row in others),
        "waiting_for_lock": sum(row["wait_type"] == "Lock" for row in others),
    }
    result: dict[str, Any] = {"activity": activity, "blocking": _blocking(others)}
    if with_sessions:
        result["sessions"] = rows[:MAX_SESSIONS]
    return result


def _blocking(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Who waits for a lock, and the sessions at the root: those that block others and wait for nobody."""
    waits_for = {row["pid"]: {pid for pid in row["blocked_by"] if pid} for row in rows if row["blocked_by"]}
    by_pid = {row["pid"]: row for row in rows}
    victims: Counter[int] = Counter()
    for pid in waits_for:
        seen: set[int] = set()
        queue = list(waits_for[pid])
        while queue:
            blocker = queue.pop()
            if blocker not in seen:
                seen.add(blocker)
                queue.extend(waits_for.get(blocker, ()))
        victims.update(blocker for blocker in seen if blocker not in waits_for)
    roots = [
        {**_trimmed(by_pid[pid]), "victims": count, "held_seconds": by_pid[pid]["transaction_seconds"]}
        if pid in by_pid
        else {"pid": pid, "victims": count, "state": "unknown"}
        for pid, count in victims.most_common(TOP)
    ]
    longest = _oldest(row["query_seconds"] for row in rows if row["pid"] in waits_for)
    return {"blocked": len(waits_for), "longest_wait_seconds": longest or 0.0, "roots": roots}


def _groups(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["user"], row["application"], row["client"]), []).append(row)
    counted = [
        {
            "user": user,
            "application": application,
            "client": client_address,
            "connections": len(members),
            "active": sum(row["state"] == "active" for row in members),
            "idle": sum(row["state"] == "idle" for row in members),
            "idle_in_transaction": sum(row["state"].startswith("idle in transaction") for row in members),
            "oldest_idle_seconds": _oldest(row["state_seconds"] for row in members if row["state"] == "idle"),
        }
        for (user, application, client_address), members in groups.items()
    ]
    return sorted(counted, key=lambda group: -int(group["connections"]))[:TOP]


def _top(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [
        {**_trimmed(row), "seconds": row[key], "waits": bool(row["blocked_by"]) or row["wait_event"] == "SyncRep"}
        for row in sorted(rows, key=lambda row: -(row[key] or 0))[:TOP]
    ]


def _trimmed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("pid", "user", "application", "client", "state", "query", "backend_start")}


def _oldest(values: Any) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _settings(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Setting -> number (times in seconds, -1 and 0 as PostgreSQL means them) or text."""
    settings: dict[str, Any] = {}
    for row in rows:
        number = row["number"]
        if number is None:
            settings[row["name"]] = row["value"]
        elif row["unit"] in ("ms", "s", "min") and float(row["value"]) < 0:
            settings[row["name"]] = -1  # "off" is no duration
        else:
            settings[row["name"]] = int(number) if float(number).is_integer() else number
    return settings


def _role_settings(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "role": row["role"] or "",
            "database": row["database"],
            "settings": dict(entry.split("=", 1) for entry in row["settings"] or [] if "=" in entry),
        }
        for row in rows
    ]
