# SPDX-License-Identifier: GPL-3.0-or-later
"""A control is there, missing, or not readable; never assumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.causes.database_controls import CONTROLS, audit
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status

Platform = Callable[..., list[Finding]]

LIMITS = {
    "instance": "dhakacart-prod-postgresql",
    "prefix": "dhakacart-prod",
    "namespace": "dhakacart",
    "app_user": "shop",
    "retention_days": 30,
    "pool_max": 19,
}
OK, UNKNOWN, WARNING, CRITICAL = Status.OK, Status.UNKNOWN, Status.WARNING, Status.CRITICAL


def gaps(findings: list[Finding], **limits: Any) -> list[str]:
    return [row["title"] for row in audit(findings, {**LIMITS, **limits}) if row["present"] is False]


def test_a_platform_with_every_control_has_no_gap(platform: Platform) -> None:
    rows = audit(platform(), LIMITS)
    assert [row["present"] for row in rows] == [True] * len(CONTROLS)


def test_what_was_not_read_is_neither_there_nor_missing(platform: Platform, healthy_names: list[str]) -> None:
    dark: dict[str, Any] = {name: (UNKNOWN, {}) for name in healthy_names}
    for findings in (platform(dark), []):
        assert [row["present"] for row in audit(findings, LIMITS)] == [None] * len(CONTROLS)


@pytest.mark.parametrize(
    ("finding", "status", "evidence", "title"),
    [
        ("rds.multi_az", WARNING, {"multi_az": False}, "A standby in another zone (Multi-AZ)"),
        ("rds.instance", OK, {"deletion_protection": False}, "Protection against deletion"),
        ("rds.pitr", OK, {"retention_days": 29}, "Backups of 30 days"),
        ("rds.pitr", CRITICAL, {"retention_days": 30}, "A point in time to restore to"),
        ("rds.snapshots", CRITICAL, {}, "A recent snapshot"),
        ("rds.storage", OK, {"allocated_gb": 20, "max_allocated_gb": 20}, "Storage that grows by itself"),
        ("rds.storage", OK, {"allocated_gb": 20, "max_allocated_gb": None}, "Storage that grows by itself"),
        ("postgresql.sync", WARNING, {}, "A standby that is in sync: a failover loses nothing"),
        ("postgresql.wal_archiving", CRITICAL, {}, "WAL is archived"),
        ("postgresql.settings", WARNING, {}, "Limits for statements, locks and idle transactions of the shop"),
        ("kubernetes.hpa", OK, {"maximum": 11}, "Room for the connections of every pod the autoscaler may start"),
        (
            "postgresql.connections",
            OK,
            {"usable": 189},
            "Room for the connections of every pod the autoscaler may start",
        ),
        ("kubernetes.pdb", WARNING, {}, "Two backends stay up while nodes are drained"),
    ],
)
def test_a_missing_control_is_a_gap_and_the_only_one(
    platform: Platform, finding: str, status: Status, evidence: dict[str, Any], title: str
) -> None:
    assert gaps(platform({finding: (status, evidence)})) == [title]


def test_as_many_connections_as_full_pools_need_are_enough(platform: Platform) -> None:
    exactly = {"postgresql.connections": (OK, {"usable": 190})}
    assert gaps(platform(exactly)) == []


def test_gaps_come_first_then_what_is_not_known(platform: Platform) -> None:
    rows = audit(platform({"kubernetes.pdb": (CRITICAL, {}), "rds.snapshots": (UNKNOWN, {})}), LIMITS)
    assert [row["present"] for row in rows] == [False, None] + [True] * (len(CONTROLS) - 2)


def test_a_change_names_the_real_instance_and_limits(platform: Platform) -> None:
    changes = " ".join(row["change"] for row in audit(platform(), LIMITS))
    for name in ("dhakacart-prod-postgresql", "dhakacart-prod-backup-manager", "-n dhakacart", "role shop", "/ 19"):
        assert name in changes
    assert "{" not in changes


def test_limits_given_on_the_command_line_are_text_and_count_as_numbers(platform: Platform) -> None:
    """``-e dhakacart_db_pool_max=19`` hands over a string."""
    assert gaps(platform(), retention_days="30", pool_max="19") == []
    assert gaps(platform(), retention_days="31") == ["Backups of 31 days"]


@pytest.mark.parametrize("limits", [{"pool_max": "many"}, {"pool_max": None}, {"retention_days": [30]}])
def test_a_limit_that_is_no_number_is_one_line_that_names_it(platform: Platform, limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(limits))):
        audit(platform(), {**LIMITS, **limits})


def test_a_limit_that_is_missing_is_one_line_that_names_it(platform: Platform) -> None:
    with pytest.raises(ConfigurationError, match="app_user"):
        audit(platform(), {key: value for key, value in LIMITS.items() if key != "app_user"})
