# SPDX-License-Identifier: GPL-3.0-or-later
"""How times, durations and foreign text are written in a report. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

NOT_RECORDED = "not recorded"
MINUTE, HOUR, DAY = 60, 3600, 86400

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# Control characters, the marks that turn the reading direction round, and halves of characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


def moment(epoch: float | None) -> str:
    """``2026-11-23 18:05:26 UTC``."""
    return NOT_RECORDED if epoch is None else f"{_utc(epoch):%Y-%m-%d %H:%M:%S} UTC"


def time_of_day(epoch: float | None) -> str:
    """``18:05:26``; the day stands elsewhere."""
    return NOT_RECORDED if epoch is None else f"{_utc(epoch):%H:%M:%S}"


def _utc(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def clock(seconds: float | None) -> str:
    """``0:04``, ``45:00``, ``1:02:03``."""
    if seconds is None:
        return NOT_RECORDED
    whole = int(max(seconds, 0))
    hours, rest = divmod(whole, HOUR)
    if hours:
        return f"{hours}:{rest // MINUTE:02d}:{rest % MINUTE:02d}"
    return f"{rest // MINUTE}:{rest % MINUTE:02d}"


def duration(seconds: float | None) -> str:
    """``0.6 s``, ``18 s``, ``4 min 05 s``, ``2 h 03 min``, ``3 d 4 h``."""
    if seconds is None:
        return NOT_RECORDED
    seconds = max(seconds, 0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def printable(text: str) -> str:
    """Foreign text without terminal sequences and with a mark in place of what a page must not carry."""
    return _UNPRINTABLE.sub("\ufffd", _ANSI.sub("", text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """The same words in one line."""
    return _SPACE.sub(" ", text).strip()


def shorten(text: str, length: int, place: str = "") -> str:
    """At most about ``length`` characters; what was cut is counted, with the place of the rest."""
    if len(text) <= length:
        return text
    where = f" in {place}" if place else ""
    return f"{text[:length].rstrip()}… ({len(text) - length:,} more characters{where})"


def plural(count: int, noun: str) -> str:
    """``1 step``, ``3 steps``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def figure(value: float) -> str:
    """A measured number, without digits that nobody measured: ``18.4``, ``300``."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")
