# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills, and what retention removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drills",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("drill", sa.Text, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.Column("seed", sa.BigInteger),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("rto", sa.Double),
        sa.Column("rpo", sa.Double),
        sa.Column("cause_expected", sa.Text, nullable=False),
        sa.Column("cause_named", sa.Text, nullable=False),
        sa.Column("residue", sa.Integer),
        sa.Column("run_ids", sa.JSON, nullable=False),
    )
    op.create_index("ix_drills_drill", "drills", ["drill"])
    op.create_index("ix_drills_started", "drills", ["started"])
    op.create_table(
        "prunings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("older_than", sa.Double, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("drills", sa.Integer, nullable=False),
        sa.Column("automatic", sa.Boolean, nullable=False),
    )
