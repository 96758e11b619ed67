# SPDX-License-Identifier: BSD-2-Clause
"""Judgements on who answers, and in which role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, flag, judges, number, part, text

# A server that answers with a refusal of our login is alive, and what it would say is unknown.
_UNKNOWN_KINDS = frozenset({"denied", "unexpected", "missing", "error"})
_MEANING = {
    "refused": ("no server listens", "the PostgreSQL server is stopped or crashed"),
    "no_route": ("not reachable", "the network in between, or the host, is gone"),
    "no_answer": ("accepts TCP but does not answer", "the server is frozen, or its host is out of CPU or I/O"),
    "overloaded": ("takes no more connections", "connections are exhausted"),
    "not_ready": ("is starting up, shutting down or recovering", "the server restarted"),
    "denied": ("answers, but refuses our login", "the password or user of the checks is wrong"),
    "missing": ("answers, but the database does not exist", "wrong database name, or the database was dropped"),
}


def server_facts(facts: Facts, name: str) -> Facts:
    """The facts of the server ``name``, which must at least have been tried."""
    found = facts.get(name) if isinstance(facts, Mapping) else None
    if not isinstance(found, Mapping) or not found:
        raise NotJudged(f"{name} was not read", "missing")
    return found


def live(facts: Facts, name: str) -> Facts:
    """The facts of the server ``name``, which must have answered."""
    server = server_facts(facts, name)
    if not flag(server, "reachable"):
        kind = failure(server)[0]
        raise NotJudged(f"the {name} cannot be read ({kind})", kind)
    return server


def failure(server: Facts) -> tuple[str, str]:
    """The kind and the message of a server's failure."""
    if server.get("configured") is False:
        return "not_configured", "has no endpoint configured"
    error = server.get("error")
    if not isinstance(error, Mapping) or not error.get("kind"):
        return "unexpected", "gave neither an answer nor an error"
    return str(error["kind"]), str(error.get("message", ""))


def _reachability(server: Facts) -> dict[str, Any]:
    return {key: server.get(key) for key in ("reachable", "endpoint", "address", "seconds")}


@judges("postgresql.primary", "primary")
def primary(facts: Facts) -> Finding:
    """Is the primary endpoint reachable and accepting sessions?"""
    server = server_facts(facts, "primary")
    evidence = _reachability(server)
    if flag(server, "reachable"):
        took = number(server, "connect_seconds")
        summary = f"accepts connections on {server.get('endpoint')} ({took * 1000:.0f} ms)"
        return Finding("postgresql.primary", "primary", Status.OK, summary, evidence)
    kind, reason = failure(server)
    what, cause = _MEANING.get(kind, ("cannot be read", ""))
    status = Status.UNKNOWN if kind in _UNKNOWN_KINDS or kind == "not_configured" else Status.CRITICAL
    if kind == "no_route" and not _reachable(facts, "replica"):
        status, cause = Status.UNKNOWN, "the database network is not reachable from here, or all of it is gone"
    return Finding(
        "postgresql.primary",
        "primary",
        status,
        f"{what}: {reason}",
        {**evidence, "kind": kind, "reason": reason},
        cause,
        "see which side is alive: compare with the standby and the shop's /ready",
    )


@judges("postgresql.role", "primary")
def role(facts: Facts) -> Finding:
    """Does the primary endpoint lead to a server that takes writes?"""
    endpoint = live(facts, "primary")
    server = part(endpoint, "server")
    in_recovery = flag(server, "in_recovery")
    read_only = flag(server, "transaction_read_only")
    evidence = {
        "in_recovery": in_recovery,
        "transaction_read_only": read_only,
        "default_transaction_read_only": server.get("default_transaction_read_only"),
        "endpoint": endpoint.get("endpoint"),
        "version": server.get("version"),
        "uptime_seconds": server.get("uptime_seconds"),
    }
    name, component = "postgresql.role", "primary"
    if in_recovery:
        return Finding(
            name,
            component,
            Status.CRITICAL,
            f"the primary endpoint {endpoint.get('endpoint')} points to a standby: writes fail",
            evidence,
            "the endpoint or DNS record points to the wrong server",
            "find the server that takes writes and repoint the application",
        )
    if read_only:
        return Finding(
            name,
            component,
            Status.CRITICAL,
            "a primary, but sessions are read-only: writes fail",
            evidence,
            "default_transaction_read_only is on",
            "find who set it: pg_db_role_setting, ALTER SYSTEM or the parameter group",
        )
    return Finding(name, component, Status.OK, f"a primary (PostgreSQL {text(server, 'version')})", evidence)


@judges("postgresql.standby", "standby")
def standby(facts: Facts) -> Finding:
    """Is there a standby that could take over?"""
    server = server_facts(facts, "replica")
    evidence = {**_reachability(server), "configured": server.get("configured", True)}
    name, component = "postgresql.standby", "standby"
    if not flag(server, "reachable"):
        kind, reason = failure(server)
        what, cause = _MEANING.get(kind, ("cannot be read", ""))
        unknown = kind in _UNKNOWN_KINDS or kind == "not_configured"
        if kind == "no_route" and not _reachable(facts, "primary"):
            unknown, cause = True, "the database network is not reachable from here, or all of it is gone"
        status = Status.UNKNOWN if unknown else Status.CRITICAL
        evidence |= {"kind": kind, "reason": reason}
        return Finding(name, component, status, f"{what}: {reason}", evidence, cause, "do not count on a failover")
    answered = part(server, "server")
    in_recovery = flag(answered, "in_recovery")
    same = _same_server(facts)
    evidence |= {"in_recovery": in_recovery, "same_server": same}
    if in_recovery:
        return Finding(name, component, Status.OK, f"in recovery on {server.get('endpoint')}", evidence)
    if same:
        summary = "the replica endpoint leads to the primary itself: there is no standby"
    else:
        summary = "the replica endpoint answers as a primary: it is no standby any more"
    return Finding(
        name,
        component,
        Status.CRITICAL,
        summary,
        evidence,
        "a failover happened and no new standby was made",
        "create a new standby; do not count on a failover until it streams",
    )


@judges("postgresql.split_brain", "cluster")
def split_brain(facts: Facts) -> Finding:
    """Do two different servers of one cluster take writes?"""
    servers = {name: live(facts, name) for name in ("primary", "replica")}
    writing = {name: not flag(part(server, "server"), "in_recovery") for name, server in servers.items()}
    same = _same_server(facts)
    evidence: dict[str, Any] = {
        "both_primary": all(writing.values()),
        "same_server": same,
        "system_identifiers": {name: _control(server, "system_identifier") for name, server in servers.items()},
        "timelines": {name: _control(server, "checkpoint_timeline") for name, server in servers.items()},
        "lsns": {name: part(server, "server").get("current_lsn") for name, server in servers.items()},
    }
    name, component = "postgresql.split_brain", "cluster"
    if not evidence["both_primary"] or same:
        return Finding(name, component, Status.OK, "one server takes writes at most", evidence)
    return Finding(
        name,
        component,
        Status.CRITICAL,
        "both endpoints answer as primaries: two servers take writes",
        evidence,
        "a standby was promoted while the old primary lived on, or came back",
        "fence the old primary first: every further order may land on the wrong side",
    )


def _control(server: Facts, key: str) -> Any:
    control = server.get("control")
    return control.get(key) if isinstance(control, Mapping) else None


def _same_server(facts: Facts) -> bool:
    """Two endpoints lead to one server when its process started at the same microsecond and has the same address."""
    seen = []
    for name in ("primary", "replica"):
        server = facts.get(name)
        answered = server.get("server") if isinstance(server, Mapping) else None
        if not isinstance(answered, Mapping) or not answered.get("started_at"):
            return False
        seen.append((answered["started_at"], answered.get("server_address"), answered.get("server_port")))
    return bool(seen[0] == seen[1])


def _reachable(facts: Facts, name: str) -> bool:
    """Did anything at all come back from the address, if only a refusal? Then the network is there."""
    server = facts.get(name)
    if not isinstance(server, Mapping):
        return False
    error = server.get("error")
    kind = error.get("kind") if isinstance(error, Mapping) else None
    return server.get("reachable") is True or kind in {"refused", "no_answer", "denied", "overloaded", "not_ready"}
