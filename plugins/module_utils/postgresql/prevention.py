# SPDX-License-Identifier: BSD-2-Clause
"""Judgements on the controls that would have prevented an incident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, flag, judges, number, optional_number, part, rows, seconds
from .arguments import Thresholds
from .availability import live


@judges("postgresql.wal_archiving", "primary")
def wal_archiving(facts: Facts, limits: Thresholds) -> Finding:
    """Is WAL kept for a restore to a point in time?"""
    server = live(facts, "primary")
    mode = part(server, "settings").get("archive_mode")
    if mode not in ("on", "off", "always"):
        raise NotJudged(f"archive_mode is {mode!r}", "absurd")
    name, component = "postgresql.wal_archiving", "primary"
    if mode == "off":
        status = Status.WARNING if limits.archiving_expected else Status.OK
        summary = "WAL archiving is off: a restore to a point in time has nothing to replay"
        return Finding(name, component, status, summary, {"archive_mode": mode}, "", "set archive_mode and a command")
    archiver = part(server, "archiver")
    failed_ago = optional_number(archiver, "last_failed_seconds")
    archived_ago = optional_number(archiver, "last_archived_seconds")
    evidence = {
        "archive_mode": mode,
        "failed": number(archiver, "failed"),
        "last_archived_seconds": archived_ago,
        "last_failed_seconds": failed_ago,
    }
    if failed_ago is not None and (archived_ago is None or failed_ago < archived_ago):
        return Finding(
            name,
            component,
            Status.CRITICAL,
            f"the last try to archive WAL failed {seconds(failed_ago)} ago: WAL piles up on the disk",
            evidence,
            "the archive is full, unreachable or refuses the server",
            "read the server's log for archive_command",
        )
    last = "nothing archived yet" if archived_ago is None else f"last archived {seconds(archived_ago)} ago"
    return Finding(name, component, Status.OK, last, evidence)


@judges("postgresql.settings", "primary")
def settings(facts: Facts, limits: Thresholds, app_user: str) -> Finding:
    """Which settings let one session, one lock or one slow query take the shop down?"""
    server = live(facts, "primary")
    if flag(part(server, "server"), "in_recovery"):
        raise NotJudged("the primary endpoint does not answer as a primary", "role")
    values = part(server, "settings")
    gaps: list[dict[str, Any]] = []

    def gap(setting: str, value: Any, wanted: str, why: str) -> None:
        gaps.append({"setting": setting, "value": value, "wanted": wanted, "why": why})

    for setting, wanted, why in (
        ("statement_timeout", "30s", "a runaway query runs for ever"),
        ("idle_in_transaction_session_timeout", "60s", "a forgotten transaction keeps its locks"),
        ("lock_timeout", "10s", "sessions queue behind a lock until connections run out"),
    ):
        of_role = _of_role(server, app_user, setting)
        value = number(values, setting) if of_role is None else of_role
        if value in (0, "0", "0s", "0ms", "0min"):
            gap(setting, value, f"{wanted} for role {app_user}", why)
    slow = number(values, "log_min_duration_statement", at_least=-1)
    if slow < 0 or slow > limits.slow_query_log_seconds:
        wanted = seconds(limits.slow_query_log_seconds)
        gap("log_min_duration_statement", slow, wanted, "slow queries leave no trace")
    if values.get("log_lock_waits") == "off":
        gap("log_lock_waits", "off", "on", "lock pile-ups leave no trace")
    libraries = values.get("shared_preload_libraries")
    if isinstance(libraries, str) and "pg_stat_statements" not in libraries:
        gap("shared_preload_libraries", libraries, "pg_stat_statements", "no record of which queries cost most")
    for setting in ("fsync", "full_page_writes"):
        if values.get(setting) == "off":
            gap(setting, "off", "on", "a crash corrupts the database")
    status = Status.WARNING if gaps else Status.OK
    names = ", ".join(str(found["setting"]) for found in gaps)
    summary = f"{len(gaps)} gaps: {names}" if gaps else "timeouts and logging are set"
    return Finding("postgresql.settings", "primary", status, summary, {"gaps": gaps})


def _of_role(server: Facts, role: str, setting: str) -> str | None:
    """The value that ``ALTER ROLE role SET setting`` gave, if the catalogue could be read and says one."""
    try:
        entries = rows(server, "role_settings")
    except NotJudged:
        return None
    for entry in entries:
        given = entry.get("settings")
        if entry.get("role") == role and isinstance(given, Mapping) and setting in given:
            return str(given[setting])
    return None
