# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the migrations on the connection that ``history.schema`` holds, inside its transaction and its lock."""

from __future__ import annotations

from alembic import context

from dhakacart_runbooks.history.schema import VERSION_TABLE
from dhakacart_runbooks.history.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
