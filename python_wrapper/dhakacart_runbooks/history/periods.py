# SPDX-License-Identifier: GPL-3.0-or-later
"""``7d``, ``12h``: lengths of time as people type them, and how they are shown."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

from ..errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_REMEDY = "write a number and s, m, h, d or w, e.g. 12h or 90d"


def parse_period(text: str, where: str) -> timedelta:
    """``90d`` as a length of time.

    :param where: the option it was given to.
    :raises UsageError: it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip().lower())
    if not found:
        raise UsageError(f"{text!r} is not a length of time", where=where, remedy=_REMEDY)
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    except OverflowError:
        raise UsageError(f"{text!r} is too long", where=where, remedy=_REMEDY) from None


def parse_since(text: str, where: str) -> float:
    """``7d`` (ago) or ``2026-11-01`` or ``2026-11-01T08:00`` (local time) in epoch seconds."""
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        try:
            return time.time() - parse_period(text, where).total_seconds()
        except UsageError:
            raise UsageError(
                f"{text!r} is neither a length of time nor a date", where=where, remedy=f"{_REMEDY}, or 2026-11-01"
            ) from None


def show_period(seconds: float) -> str:
    """``0.8 s``, ``12 s``, ``3:05``, ``2 h 10 min``, ``3 d 4 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def show_moment(epoch: float, *, seconds: bool = False) -> str:
    """Local time, ``2026-11-23 18:02``."""
    return datetime.fromtimestamp(epoch).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
