# SPDX-License-Identifier: GPL-3.0-or-later
"""Where PostgreSQL's findings change their status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql import system

GIB = 1024**3


def failed(kind: str) -> dict[str, Any]:
    return {
        "configured": True,
        "reachable": False,
        "endpoint": "db:5432",
        "seconds": 3.0,
        "error": {"kind": kind, "message": f"db:5432: {kind}", "remedy": ""},
    }


def find(facts: dict[str, Any], finding_id: str, **thresholds: Any) -> Finding:
    findings = {f.id: f for f in system.judge(facts, {"thresholds": thresholds, "app_user": "dhakacart"})}
    return findings[finding_id]


def query(seconds: float) -> list[dict[str, Any]]:
    return [{"pid": 7, "user": "dhakacart", "application": "report", "query": "SELECT ?", "seconds": seconds}]


def slot(active: bool, retained: float) -> list[dict[str, Any]]:
    return [{"name": "s", "active": active, "retained_bytes": retained, "wal_status": "reserved"}]


@pytest.mark.parametrize(
    ("finding_id", "path", "value", "status"),
    [
        # 18 of 20 connections are usable
        ("postgresql.connections", "primary.activity.used", 14, "ok"),
        ("postgresql.connections", "primary.activity.used", 15, "warning"),
        ("postgresql.connections", "primary.activity.used", 17, "warning"),
        ("postgresql.connections", "primary.activity.used", 18, "critical"),
        ("postgresql.connections", "primary.activity.used", 21, "unknown"),
        ("postgresql.connections", "primary.activity.used", -1, "unknown"),
        ("postgresql.connections", "primary.settings.max_connections", 2, "unknown"),
        ("postgresql.lag", "replica.recovery.lag_seconds", 59.9, "ok"),
        ("postgresql.lag", "replica.recovery.lag_seconds", 60, "warning"),
        ("postgresql.lag", "replica.recovery.lag_seconds", 300, "critical"),
        ("postgresql.lag", "replica.recovery.lag_seconds", -5, "unknown"),
        ("postgresql.lag", "replica.recovery.replay_paused", True, "warning"),
        ("postgresql.lag", "replica.recovery.replay_lsn", "nonsense", "unknown"),
        ("postgresql.long_queries", "primary.activity.long_queries", query(4.9), "ok"),
        ("postgresql.long_queries", "primary.activity.long_queries", query(5), "warning"),
        ("postgresql.long_queries", "primary.activity.long_queries", query(60), "critical"),
        ("postgresql.idle_in_transaction", "primary.activity.idle_in_transaction", query(59), "ok"),
        ("postgresql.idle_in_transaction", "primary.activity.idle_in_transaction", query(60), "warning"),
        ("postgresql.idle_in_transaction", "primary.activity.idle_in_transaction", query(300), "critical"),
        ("postgresql.slots", "primary.slots", slot(False, 1.9 * GIB), "ok"),
        ("postgresql.slots", "primary.slots", slot(False, 2 * GIB), "warning"),
        ("postgresql.slots", "primary.slots", slot(False, 10 * GIB), "critical"),
        ("postgresql.slots", "primary.slots", slot(True, 10 * GIB), "ok"),
        ("postgresql.role", "primary.server.in_recovery", True, "critical"),
        ("postgresql.role", "primary.server.transaction_read_only", True, "critical"),
        ("postgresql.standby", "replica.server.in_recovery", False, "critical"),
        ("postgresql.split_brain", "replica.server.in_recovery", False, "critical"),
        ("postgresql.sync", "primary.standbys.0.sync_state", "quorum", "ok"),
        ("postgresql.sync", "primary.standbys.0.sync_state", "async", "critical"),
        ("postgresql.sync", "primary.standbys", [], "critical"),
        ("postgresql.replication", "primary.standbys", [], "critical"),
        ("postgresql.replication", "primary.standbys.0.state", "catchup", "warning"),
        ("postgresql.replication", "replica.receiver", {"status": "absent"}, "critical"),
        ("postgresql.wal_archiving", "primary.settings.archive_mode", "perhaps", "unknown"),
    ],
)
def test_status_at_the_boundary(healthy: Any, change: Any, finding_id: str, path: str, value: Any, status: str) -> None:
    assert str(find(change(healthy, path, value), finding_id).status) == status


@pytest.mark.parametrize(
    ("blocked", "seconds", "status"),
    [(0, 0, "ok"), (1, 4.9, "ok"), (1, 5, "warning"), (1, 60, "critical"), (9, 5, "warning"), (10, 5, "critical")],
)
def test_lock_waits(healthy: Any, change: Any, blocked: int, seconds: float, status: str) -> None:
    blocking = {"blocked": blocked, "longest_wait_seconds": seconds, "roots": [{"pid": 1, "victims": blocked}]}
    assert str(find(change(healthy, "primary.blocking", blocking), "postgresql.locks").status) == status


def test_a_long_query_that_only_waits_is_judged_by_what_it_waits_for(healthy: Any, change: Any) -> None:
    waiting = [{**query(600)[0], "waits": True}]
    assert (
        str(find(change(healthy, "primary.activity.long_queries", waiting), "postgresql.long_queries").status) == "ok"
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("refused", "critical"),
        ("no_answer", "critical"),
        ("no_route", "critical"),
        ("not_ready", "critical"),
        ("overloaded", "critical"),
        ("denied", "unknown"),
        ("missing", "unknown"),
        ("unexpected", "unknown"),
    ],
)
def test_a_dead_primary_beside_a_living_standby(healthy: Any, change: Any, kind: str, status: str) -> None:
    facts = change(healthy, "primary", failed(kind))
    finding = find(facts, "postgresql.primary")
    assert (str(finding.status), finding.evidence["kind"]) == (status, kind)
    assert str(find(facts, "postgresql.role").status) == "unknown"


def test_no_route_to_either_side_is_unknown_because_we_may_be_cut_off(healthy: Any, change: Any) -> None:
    facts = change(healthy, "primary", failed("no_route"), "replica", failed("no_route"))
    assert {str(find(facts, f"postgresql.{side}").status) for side in ("primary", "standby")} == {"unknown"}


def test_no_connection_left_even_for_us_is_exhaustion(healthy: Any, change: Any) -> None:
    finding = find(change(healthy, "primary", failed("overloaded")), "postgresql.connections")
    assert (str(finding.status), finding.evidence["kind"]) == ("critical", "overloaded")


@pytest.mark.parametrize(
    ("receiver", "status", "hears"),
    [
        ({"status": "absent"}, "critical", False),
        ({"status": "streaming", "last_message_seconds": 0.4}, "ok", True),
        ({"status": "streaming", "last_message_seconds": 2.9}, "ok", True),  # heard while we waited 3 s
        ({"status": "streaming", "last_message_seconds": 3.5}, "unknown", None),
        ({"status": "streaming", "last_message_seconds": 5}, "critical", False),
        ({"status": "streaming", "last_message_seconds": None}, "critical", False),
    ],
)
def test_whether_the_standby_still_hears_from_a_primary_that_does_not_answer(
    healthy: Any, change: Any, receiver: dict[str, Any], status: str, hears: bool | None
) -> None:
    finding = find(
        change(healthy, "primary", failed("no_answer"), "replica.receiver", receiver), "postgresql.replication"
    )
    assert (str(finding.status), finding.evidence["hears_primary"]) == (status, hears)


def test_an_idle_primary_that_streams_is_heard_however_long_it_is_silent(healthy: Any, change: Any) -> None:
    finding = find(change(healthy, "replica.receiver.last_message_seconds", 29), "postgresql.replication")
    assert (str(finding.status), finding.evidence["hears_primary"]) == ("ok", True)


def test_lag_is_unknown_when_the_stream_broke_and_the_primary_cannot_be_asked(healthy: Any, change: Any) -> None:
    facts = change(healthy, "primary", failed("refused"), "replica.receiver", {"status": "absent"})
    finding = find(facts, "postgresql.lag")
    assert str(finding.status) == "unknown"
    assert finding.evidence["replayed_all_received"] is True


def test_lag_counts_from_the_last_replay_when_the_stream_broke_and_the_primary_went_on(
    healthy: Any, change: Any
) -> None:
    facts = change(
        healthy,
        *("replica.receiver", {"status": "absent"}),
        *("replica.recovery.lag_seconds", 0),
        *("replica.recovery.last_replayed_seconds", 400),
        *("replica.recovery.replay_lsn", "0/100"),
        *("primary.server.current_lsn", "0/200"),
    )
    finding = find(facts, "postgresql.lag")
    assert (str(finding.status), finding.evidence["lag_bytes"]) == ("critical", 0x100)


def test_both_endpoints_on_one_server_is_a_missing_standby_and_no_split_brain(healthy: Any, change: Any) -> None:
    facts = change(healthy, "replica", healthy["primary"])
    assert str(find(facts, "postgresql.split_brain").status) == "ok"
    standby = find(facts, "postgresql.standby")
    assert (str(standby.status), standby.evidence["same_server"]) == ("critical", True)


@pytest.mark.parametrize(("accepted", "status"), [(False, "warning"), (True, "ok")])
def test_an_asynchronous_standby(healthy: Any, change: Any, accepted: bool, status: str) -> None:
    facts = change(healthy, "primary.standbys.0.sync_state", "async", "primary.settings.synchronous_standby_names", "")
    assert str(find(facts, "postgresql.sync", asynchronous_accepted=accepted).status) == status


def test_commits_that_wait_for_a_missing_synchronous_standby_are_named(healthy: Any, change: Any) -> None:
    finding = find(change(healthy, "primary.standbys", []), "postgresql.sync")
    assert finding.evidence["commits_blocked"] is True


@pytest.mark.parametrize(
    ("failed_ago", "archived_ago", "status"),
    [(None, None, "ok"), (10, 5, "ok"), (5, 10, "critical"), (5, None, "critical")],
)
def test_archiving(healthy: Any, change: Any, failed_ago: Any, archived_ago: Any, status: str) -> None:
    archiver = {"archived": 3, "failed": 1, "last_archived_seconds": archived_ago, "last_failed_seconds": failed_ago}
    facts = change(healthy, "primary.settings.archive_mode", "on", "primary.archiver", archiver)
    assert str(find(facts, "postgresql.wal_archiving").status) == status


def test_a_timeout_given_to_the_role_closes_the_gap(healthy: Any, change: Any) -> None:
    before = {gap["setting"] for gap in find(healthy, "postgresql.settings").evidence["gaps"]}
    role = [{"role": "dhakacart", "database": "", "settings": {"statement_timeout": "30s"}}]
    facts = change(healthy, "primary.role_settings", role)
    after = {gap["setting"] for gap in find(facts, "postgresql.settings").evidence["gaps"]}
    assert before - after == {"statement_timeout"}


def test_a_replica_that_is_not_configured_is_unknown(healthy: Any, change: Any) -> None:
    facts = change(healthy, "replica", {"configured": False, "reachable": False, "endpoint": ""})
    assert str(find(facts, "postgresql.standby").status) == "unknown"
    assert str(find(facts, "postgresql.replication").status) == "ok"  # the primary sees a standby all the same
