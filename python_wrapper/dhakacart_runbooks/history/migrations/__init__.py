# SPDX-License-Identifier: GPL-3.0-or-later
"""Alembic's environment: shipped with the package, used by ``history.schema``."""
