# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``runbook`` command: one module for each sub-command, put together in ``app``."""

from __future__ import annotations

from .app import main

__all__ = ["main"]
