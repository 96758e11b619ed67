# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the newest revision. A test compares them with what the migrations make."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _text(name: str, key: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, key=key or name, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("started", sa.Double, nullable=False, index=True),
    sa.Column("finished", sa.Double),
    sa.Column("heartbeat", sa.Double, nullable=False),
    sa.Column("status", sa.Text, nullable=False, index=True),
    sa.Column("rc", sa.Integer),
    sa.Column("exit_code", sa.Integer),
    _text("runbook"),
    sa.Column("sections", sa.JSON, nullable=False),
    _text("environment"),
    _text("inventory"),
    _text("target"),
    _text("branch"),
    # CHECK and USER are words of SQL: `select user from runs` would answer who is connected.
    sa.Column("check_mode", sa.Boolean, key="check", nullable=False),
    sa.Column("approve_reason", sa.Text),
    _text("username", key="user"),
    _text("host"),
    _text("boot_id"),
    _text("pid_namespace"),
    _number("pid"),
    sa.Column("pid_start", sa.BigInteger, nullable=False),
    _text("record"),
    _text("likely_cause"),
    _text("next"),
    _text("message"),
    sa.Column("changed", sa.Boolean, nullable=False),
    _text("interrupted_step"),
    _number("findings_ok"),
    _number("findings_unknown"),
    _number("findings_warning"),
    _number("findings_critical"),
    _text("wrapper_version"),
    _text("collection_version"),
)

# As ``RunRow`` names them.
run_columns = [column.label(column.key) for column in runs.c]

sections = sa.Table(
    "sections",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _text("section"),
    sa.Column("elapsed", sa.Double, nullable=False),
    sa.Column("budget", sa.Double, nullable=False),
    _text("likely_cause"),
    _text("next"),
)

drills = sa.Table(
    "drills",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("drill", sa.Text, nullable=False, index=True),
    sa.Column("started", sa.Double, nullable=False, index=True),
    sa.Column("finished", sa.Double),
    sa.Column("seed", sa.BigInteger),
    _text("environment"),
    _text("digest"),
    _text("verdict"),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("rto", sa.Double),
    sa.Column("rpo", sa.Double),
    _text("cause_expected"),
    _text("cause_named"),
    sa.Column("residue", sa.Integer),
    sa.Column("run_ids", sa.JSON, nullable=False),
)

# What was removed, and when somebody last looked whether something had to be.
prunings = sa.Table(
    "prunings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("older_than", sa.Double, nullable=False),
    _number("runs"),
    _number("drills"),
    sa.Column("automatic", sa.Boolean, nullable=False),
)
