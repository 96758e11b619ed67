# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and their sections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXTS = ("environment", "inventory", "target", "branch", "username", "host", "boot_id", "pid_namespace", "record")
_MORE_TEXTS = ("likely_cause", "next", "message", "interrupted_step", "wrapper_version", "collection_version")
_COUNTS = ("findings_ok", "findings_unknown", "findings_warning", "findings_critical")


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.Column("heartbeat", sa.Double, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("rc", sa.Integer),
        sa.Column("exit_code", sa.Integer),
        sa.Column("runbook", sa.Text, nullable=False),
        sa.Column("sections", sa.JSON, nullable=False),
        sa.Column("check_mode", sa.Boolean, nullable=False),
        sa.Column("approve_reason", sa.Text),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("pid_start", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in (*_TEXTS, *_MORE_TEXTS)),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _COUNTS),
    )
    op.create_index("ix_runs_started", "runs", ["started"])
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_table(
        "sections",
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("elapsed", sa.Double, nullable=False),
        sa.Column("budget", sa.Double, nullable=False),
        sa.Column("likely_cause", sa.Text, nullable=False),
        sa.Column("next", sa.Text, nullable=False),
    )
