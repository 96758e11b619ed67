# SPDX-License-Identifier: GPL-3.0-or-later
"""The wrapper's part of an incident record: its runs and their events."""

from __future__ import annotations

from .observer import RecordObserver

__all__ = ["RecordObserver"]
