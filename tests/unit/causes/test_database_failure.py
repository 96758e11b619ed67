# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cause is named for exactly its evidence; each branch is refused for each thing that contradicts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.causes.database_failure import BRANCHES, CAUSES
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.diagnosis import diagnose, refusals
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status

Change = Mapping[str, tuple[Status, Mapping[str, Any]]]
Platform = Callable[..., list[Finding]]

OK, UNKNOWN, WARNING, CRITICAL = Status.OK, Status.UNKNOWN, Status.WARNING, Status.CRITICAL


def one(name: str, status: Status, **evidence: Any) -> Change:
    return {name: (status, evidence)}


def primary(kind: str) -> Change:
    """The primary does not answer, and with it everything that is read from it becomes unknown."""
    unread = {
        name: (UNKNOWN, {"kind": kind})
        for name in (
            "postgresql.role",
            "postgresql.split_brain",
            "postgresql.connections",
            "postgresql.locks",
            "postgresql.long_queries",
            "postgresql.lag",
        )
    }
    return {**unread, **one("postgresql.primary", CRITICAL, kind=kind, reachable=False)}


def standby(kind: str) -> Change:
    return one("postgresql.standby", CRITICAL, kind=kind, reachable=False)


def stream(hears_primary: bool | None) -> Change:
    status = UNKNOWN if hears_primary is None else OK if hears_primary else CRITICAL
    return one("postgresql.replication", status, hears_primary=hears_primary, streaming=bool(hears_primary))


NO_REPLICA = one("postgresql.standby", UNKNOWN, kind="not_configured", configured=False)
LOST = one("rds.activity", WARNING, alive=False)
NOT_READY = one("http.ready", CRITICAL)
DISK_FULL = one("rds.storage", CRITICAL, allocated_gb=20, max_allocated_gb=20)
SPLIT = {
    **one("postgresql.split_brain", CRITICAL, both_primary=True),
    **one("postgresql.standby", CRITICAL, reachable=True, in_recovery=False),
}
# Cause -> what is seen then (each a whole state of the platform), and the branch that is recommended.
SCENES: list[tuple[str, str, tuple[Change, ...]]] = [
    ("disk_full", "storage", (DISK_FULL, NOT_READY)),
    ("split_brain", "", (SPLIT,)),
    (
        "database_moved",
        "repoint",
        (primary("refused"), one("postgresql.standby", CRITICAL, reachable=True, in_recovery=False), NOT_READY),
    ),
    ("primary_read_only", "", (one("postgresql.role", CRITICAL, in_recovery=False, transaction_read_only=True),)),
    ("no_server_left", "restore", (primary("refused"), standby("refused"), LOST, NOT_READY)),
    ("database_network_cut", "", (primary("no_route"), stream(True), NOT_READY)),
    ("database_network_cut", "", (primary("no_answer"), stream(True), NOT_READY)),
    ("primary_frozen", "failover", (primary("no_answer"), stream(False), NOT_READY)),
    ("primary_down", "failover", (primary("refused"), stream(False), NOT_READY)),
    ("primary_down", "failover", (primary("no_route"), stream(False), NOT_READY)),
    ("primary_down", "failover", (primary("not_ready"), stream(False), NOT_READY)),
    (
        "primary_down_unseen_standby",
        "failover",
        (primary("refused"), NO_REPLICA, one("rds.multi_az", OK, multi_az=True), LOST, stream(None), NOT_READY),
    ),
    ("endpoint_stale", "repoint", (one("postgresql.role", CRITICAL, in_recovery=True), NOT_READY)),
    ("connections_exhausted", "end-sessions", (one("postgresql.connections", CRITICAL), NOT_READY)),
    ("lock_pileup", "end-sessions", (one("postgresql.locks", CRITICAL), NOT_READY)),
    ("lock_pileup", "end-sessions", (one("postgresql.locks", WARNING),)),
    ("credentials_stale", "repoint", (one("drift.credentials", CRITICAL, password_differs=True), NOT_READY)),
    ("runaway_query", "end-sessions", (one("postgresql.long_queries", CRITICAL),)),
    ("application_pool_dead", "restart-pods", (NOT_READY,)),
    ("standby_down", "", (standby("refused"), stream(False))),
    ("replication_broken", "", (stream(False),)),
    ("standby_lag", "", (one("postgresql.lag", WARNING),)),
    ("standby_lag", "", (one("postgresql.lag", CRITICAL),)),
]


@pytest.mark.parametrize(("cause", "branch", "seen"), SCENES, ids=[scene[0] for scene in SCENES])
def test_a_cause_is_named_alone_with_its_branch(
    platform: Platform, cause: str, branch: str, seen: tuple[Change, ...]
) -> None:
    judged = diagnose(platform(*seen), CAUSES)
    assert judged["likely"]["id"] == cause
    assert judged["likely"]["branch"] == branch
    assert judged["also"] == []


@pytest.mark.parametrize(("cause", "branch", "seen"), SCENES, ids=[scene[0] for scene in SCENES])
def test_the_branch_a_cause_recommends_is_one_the_evidence_allows(
    platform: Platform, cause: str, branch: str, seen: tuple[Change, ...]
) -> None:
    if branch:
        assert refusals(BRANCHES[branch], platform(*seen)) == []


def test_every_cause_has_a_scene() -> None:
    assert {scene[0] for scene in SCENES} == {cause.id for cause in CAUSES}


def test_a_healthy_platform_has_no_cause_and_suspects_none(platform: Platform) -> None:
    assert diagnose(platform(), CAUSES) == {"likely": None, "also": [], "possible": []}


def test_a_platform_that_cannot_be_read_at_all_has_no_cause_and_suspects_none(
    platform: Platform, healthy_names: list[str]
) -> None:
    dark = {name: (UNKNOWN, {"kind": "no_route"}) for name in healthy_names}
    assert diagnose(platform(dark), CAUSES) == {"likely": None, "also": [], "possible": []}


# What takes a cause away although the rest of its scene stands: (cause, scene, contradiction, is it still possible).
TAKEN_AWAY: list[tuple[str, tuple[Change, ...], Change, bool]] = [
    ("disk_full", (DISK_FULL,), one("rds.storage", WARNING), False),
    ("disk_full", (DISK_FULL,), one("rds.storage", UNKNOWN), False),
    ("split_brain", (SPLIT,), one("postgresql.split_brain", UNKNOWN), False),
    ("no_server_left", (primary("refused"), standby("refused"), LOST), one("postgresql.standby", OK), False),
    ("no_server_left", (primary("refused"), standby("refused"), LOST), standby("no_answer"), False),
    ("no_server_left", (primary("refused"), standby("refused"), LOST), one("postgresql.standby", UNKNOWN), True),
    ("no_server_left", (primary("refused"), standby("refused"), LOST), primary("no_answer"), False),
    # Both refuse us, but AWS still hears from the server: a broken path, and no reason to restore.
    ("no_server_left", (primary("refused"), standby("refused"), LOST), one("rds.activity", OK, alive=True), False),
    ("no_server_left", (primary("refused"), standby("refused"), LOST), one("rds.activity", UNKNOWN), True),
    ("database_network_cut", (primary("no_route"), stream(True)), stream(False), False),
    ("database_network_cut", (primary("no_route"), stream(True)), stream(None), True),
    ("database_network_cut", (primary("no_route"), stream(True)), standby("no_route"), False),
    ("database_network_cut", (primary("no_route"), stream(True)), primary("refused"), False),
    ("primary_frozen", (primary("no_answer"), stream(False)), stream(True), False),
    ("primary_frozen", (primary("no_answer"), stream(False)), stream(None), True),
    ("primary_frozen", (primary("no_answer"), stream(False)), standby("refused"), False),
    ("primary_frozen", (primary("no_answer"), stream(False)), primary("refused"), False),
    ("primary_down", (primary("refused"), stream(False)), stream(True), False),
    ("primary_down", (primary("refused"), stream(False)), stream(None), True),
    ("primary_down", (primary("refused"), stream(False)), standby("refused"), False),
    ("primary_down", (primary("refused"), stream(False)), one("postgresql.primary", OK), False),
    ("primary_down", (primary("refused"), stream(False)), one("postgresql.primary", UNKNOWN, kind="denied"), True),
    ("primary_down", (primary("refused"), stream(False)), primary("overloaded"), False),
    ("endpoint_stale", (one("postgresql.role", CRITICAL, in_recovery=True),), one("postgresql.role", UNKNOWN), False),
    ("connections_exhausted", (), one("postgresql.connections", WARNING), False),
    ("lock_pileup", (), one("postgresql.locks", UNKNOWN), False),
    ("credentials_stale", (one("drift.credentials", CRITICAL),), primary("refused"), False),
    ("credentials_stale", (one("drift.credentials", CRITICAL),), one("postgresql.primary", UNKNOWN), True),
    ("credentials_stale", (one("drift.credentials", CRITICAL),), one("drift.credentials", UNKNOWN), True),
    ("runaway_query", (one("postgresql.long_queries", CRITICAL),), one("postgresql.long_queries", WARNING), False),
    ("runaway_query", (one("postgresql.long_queries", CRITICAL),), one("postgresql.locks", WARNING), False),
    ("application_pool_dead", (NOT_READY,), primary("refused"), False),
    ("application_pool_dead", (NOT_READY,), one("postgresql.role", CRITICAL, in_recovery=True), False),
    ("application_pool_dead", (NOT_READY,), one("postgresql.connections", WARNING), False),
    ("application_pool_dead", (NOT_READY,), one("postgresql.locks", WARNING), False),
    ("application_pool_dead", (NOT_READY,), one("drift.credentials", CRITICAL), False),
    ("application_pool_dead", (NOT_READY,), one("drift.credentials", UNKNOWN), True),
    ("application_pool_dead", (NOT_READY,), one("http.ready", WARNING), False),
    ("standby_down", (standby("refused"),), one("postgresql.standby", UNKNOWN), True),
    ("standby_down", (standby("refused"),), primary("refused"), False),
    ("replication_broken", (stream(False),), standby("refused"), False),
    ("replication_broken", (stream(False),), primary("refused"), False),
    ("replication_broken", (stream(False),), one("postgresql.role", CRITICAL, in_recovery=True), False),
    ("standby_lag", (one("postgresql.lag", CRITICAL),), stream(False), False),
    ("standby_lag", (one("postgresql.lag", CRITICAL),), standby("refused"), False),
    ("standby_lag", (one("postgresql.lag", CRITICAL),), one("postgresql.lag", UNKNOWN), True),
]


@pytest.mark.parametrize(("cause", "scene", "contradiction", "possible"), TAKEN_AWAY)
def test_a_cause_is_not_named_when_part_of_its_evidence_is_missing(
    platform: Platform, cause: str, scene: tuple[Change, ...], contradiction: Change, possible: bool
) -> None:
    rules = [rule for rule in CAUSES if rule.id == cause]
    judged = diagnose(platform(*scene, contradiction), rules)
    assert judged["likely"] is None
    assert [entry["id"] for entry in judged["possible"]] == ([cause] if possible else [])


def test_every_condition_of_every_cause_is_needed(platform: Platform) -> None:
    """Leaving any one finding out takes the cause away: none of its conditions is decoration."""
    for cause, _branch, scene in SCENES:
        rule = next(rule for rule in CAUSES if rule.id == cause)
        for condition in rule.tests:
            left = [finding for finding in platform(*scene) if finding.id != condition.finding]
            assert diagnose(left, [rule])["likely"] is None, f"{cause} without {condition.finding}"


def named(judged: Mapping[str, Any]) -> list[str]:
    return [judged["likely"]["id"], *(cause["id"] for cause in judged["also"])]


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        # A full disk stops the server: more storage comes before a failover to a standby that is as full.
        ((DISK_FULL, primary("refused"), stream(False), NOT_READY), ["disk_full"]),
        ((DISK_FULL, primary("refused"), standby("refused"), LOST, NOT_READY), ["disk_full", "no_server_left"]),
        ((primary("refused"), stream(False), NOT_READY), ["primary_down"]),
        (
            (one("postgresql.connections", CRITICAL), one("postgresql.locks", CRITICAL), NOT_READY),
            ["connections_exhausted", "lock_pileup"],
        ),
        ((one("postgresql.locks", CRITICAL), one("postgresql.long_queries", CRITICAL), NOT_READY), ["lock_pileup"]),
        ((standby("refused"), stream(False), one("postgresql.lag", UNKNOWN)), ["standby_down"]),
        ((stream(False), one("postgresql.lag", CRITICAL)), ["replication_broken"]),
        ((NOT_READY, standby("refused"), stream(False)), ["application_pool_dead", "standby_down"]),
        (
            (one("drift.credentials", CRITICAL), one("postgresql.lag", CRITICAL), NOT_READY),
            ["credentials_stale", "standby_lag"],
        ),
        ((SPLIT, stream(False)), ["split_brain"]),
        # The endpoints are swapped: the replica's answers as the primary that it is, and no standby is down.
        (
            (
                one("postgresql.role", CRITICAL, in_recovery=True),
                one("postgresql.standby", CRITICAL, reachable=True, in_recovery=False),
                NOT_READY,
            ),
            ["endpoint_stale"],
        ),
    ],
)
def test_of_two_faults_both_are_named_and_what_one_brings_about_is_not(
    platform: Platform, seen: tuple[Change, ...], names: list[str]
) -> None:
    assert named(diagnose(platform(*seen), CAUSES)) == names


DEAD = (primary("refused"), stream(False))
UNSEEN = (primary("refused"), NO_REPLICA, one("rds.multi_az", OK, multi_az=True), LOST, stream(None))
GONE = (primary("refused"), standby("refused"), stream(None))
FULL = (one("postgresql.connections", CRITICAL),)
# Branch, the state that allows it, and what forbids it.
FORBIDDEN: list[tuple[str, tuple[Change, ...], Change, str]] = [
    ("failover", DEAD, one("postgresql.primary", OK), "postgresql.primary"),
    ("failover", DEAD, one("postgresql.primary", WARNING), "postgresql.primary"),
    ("failover", DEAD, one("postgresql.primary", UNKNOWN, kind="denied"), "postgresql.primary"),
    ("failover", DEAD, primary("overloaded"), "postgresql.primary"),
    ("failover", DEAD, standby("refused"), "postgresql.standby"),
    ("failover", DEAD, one("postgresql.standby", UNKNOWN, kind="denied"), "postgresql.standby"),
    ("failover", DEAD, stream(True), "postgresql.replication"),
    ("failover", DEAD, stream(None), "postgresql.replication"),
    ("failover", UNSEEN, one("rds.activity", OK, alive=True), "postgresql.replication"),
    ("failover", UNSEEN, one("rds.activity", UNKNOWN), "postgresql.replication"),
    # AWS has lost it, but a standby that we see still hears from it: something else is broken.
    ("failover", (*DEAD, LOST), stream(True), "postgresql.replication"),
    ("restore", GONE, one("postgresql.primary", OK), "postgresql.primary"),
    ("restore", GONE, primary("overloaded"), "postgresql.primary"),
    ("restore", GONE, one("postgresql.standby", OK, reachable=True), "postgresql.standby"),
    ("restore", GONE, one("postgresql.standby", UNKNOWN), "postgresql.standby"),
    # The old replica was promoted: it is no standby, but it lives and holds the newest orders.
    ("restore", GONE, one("postgresql.standby", CRITICAL, reachable=True, in_recovery=False), "postgresql.standby"),
    ("restore", GONE, one("rds.pitr", CRITICAL), "rds.pitr"),
    ("restore", GONE, one("rds.pitr", UNKNOWN), "rds.pitr"),
    # Without it nothing takes over: a read replica is no standby of RDS.
    ("failover", DEAD, one("rds.multi_az", WARNING, multi_az=False), "rds.multi_az"),
    ("failover", DEAD, one("rds.multi_az", UNKNOWN), "rds.multi_az"),
    ("end-sessions", FULL, primary("refused"), "postgresql.primary"),
    ("end-sessions", FULL, one("postgresql.primary", UNKNOWN), "postgresql.primary"),
    ("repoint", (), one("kubernetes.api", UNKNOWN), "kubernetes.api"),
    ("repoint", (), one("kubernetes.api", CRITICAL), "kubernetes.api"),
    ("restart-pods", (), primary("refused"), "postgresql.primary"),
    ("restart-pods", (), one("postgresql.role", CRITICAL, in_recovery=True), "postgresql.role"),
    ("restart-pods", (), one("kubernetes.api", UNKNOWN), "kubernetes.api"),
    ("storage", (DISK_FULL,), one("rds.storage", WARNING), "rds.storage"),
    ("storage", (DISK_FULL,), one("rds.storage", UNKNOWN), "rds.storage"),
]


@pytest.mark.parametrize(("branch", "allowing", "forbidding", "names"), FORBIDDEN)
def test_a_branch_is_refused_when_one_thing_contradicts_it(
    platform: Platform, branch: str, allowing: tuple[Change, ...], forbidding: Change, names: str
) -> None:
    assert refusals(BRANCHES[branch], platform(*allowing)) == []
    refused = refusals(BRANCHES[branch], platform(*allowing, forbidding))
    starts = (f"needs: {names} is ", f"needs one of: {names} is ")
    assert any(line.startswith(starts) for line in refused), refused


@pytest.mark.parametrize(
    ("seen", "allowed"),
    [
        ((), False),
        ((one("drift.credentials", CRITICAL), NOT_READY), False),
        ((one("postgresql.connections", WARNING),), False),
        ((one("postgresql.long_queries", WARNING),), False),
        ((one("postgresql.connections", UNKNOWN), one("postgresql.locks", UNKNOWN)), False),
        (FULL, True),
        ((one("postgresql.locks", WARNING),), True),
        ((one("postgresql.long_queries", CRITICAL),), True),
    ],
)
def test_no_session_is_ended_where_none_does_harm(platform: Platform, seen: tuple[Change, ...], allowed: bool) -> None:
    refused = refusals(BRANCHES["end-sessions"], platform(*seen))
    assert (refused == []) is allowed
    assert allowed or refused[0].startswith("needs one of: postgresql.connections is critical; ")


def test_every_branch_can_be_refused_and_names_its_undo() -> None:
    assert {row[0] for row in FORBIDDEN} == set(BRANCHES)
    assert all(branch.undo for branch in BRANCHES.values())


@pytest.mark.parametrize("branch", BRANCHES)
def test_no_branch_may_act_on_a_platform_that_cannot_be_read(
    platform: Platform, healthy_names: list[str], branch: str
) -> None:
    dark = {name: (UNKNOWN, {"kind": "no_route"}) for name in healthy_names}
    assert refusals(BRANCHES[branch], platform(dark))
    assert refusals(BRANCHES[branch], [])


def test_rules_name_only_causes_and_branches_that_exist() -> None:
    ids = [cause.id for cause in CAUSES]
    assert len(set(ids)) == len(ids)
    for cause in CAUSES:
        assert set(cause.hides) <= set(ids) - {cause.id}, cause.id
        assert bool(cause.branch) != bool(cause.next_step), cause.id
        assert not cause.branch or cause.branch in BRANCHES, cause.id
