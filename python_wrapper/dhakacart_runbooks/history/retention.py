# SPDX-License-Identifier: GPL-3.0-or-later
"""How long runs and drills are kept. A run that goes on is never removed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from ..errors import UsageError
from . import tables
from .rows import RUNNING, RunRow, run_from

DAYS_VARIABLE = "DHAKACART_HISTORY_DAYS"
DEFAULT_DAYS = 400
DEFAULT_KEEP = 50
# A statement takes only so many parameters.
AT_ONCE = 500
DUE_AFTER = timedelta(days=1).total_seconds()
_ADVISORY = 0x64686B_7072756E  # "dhk" "prun"


@dataclass(frozen=True)
class Pruned:
    """What was removed."""

    runs: tuple[RunRow, ...] = ()
    drills: int = 0

    def __str__(self) -> str:
        return _both(len(self.runs), self.drills)


@dataclass(frozen=True)
class Pruning:
    """One pruning of the past.

    :param older_than: seconds.
    """

    at: float
    older_than: float
    runs: int
    drills: int
    automatic: bool

    def __str__(self) -> str:
        by = "by itself" if self.automatic else "on request"
        return f"{_both(self.runs, self.drills)} older than {self.older_than / 86400:g} days were removed {by}"


def keep_days() -> float:
    """How many days are kept without anybody asking; 0: for ever. From ``DHAKACART_HISTORY_DAYS``, else 400."""
    said = os.environ.get(DAYS_VARIABLE, "").strip()
    try:
        days = float(said) if said else float(DEFAULT_DAYS)
    except ValueError:
        days = -1.0
    if not 0 <= days < float("inf"):
        raise UsageError(
            f"{said!r} is not a number of days", where=DAYS_VARIABLE, remedy="0 keeps everything; 400 is the default"
        )
    return days


def prunable(connection: sa.Connection, older_than: timedelta, keep_last: int) -> Pruned:
    """What is older than ``older_than``, has ended, and is not among the newest ``keep_last``; the newest first."""
    c = tables.runs.c
    newest = sa.select(c.id).order_by(c.started.desc(), c.id.desc()).limit(keep_last)
    query = (
        sa.select(*tables.run_columns)
        .where(c.started < _before(older_than), c.status != RUNNING, c.id.not_in(newest))
        .order_by(c.started.desc())
    )
    drills = connection.execute(sa.select(sa.func.count()).where(*_old_drills(older_than, keep_last))).scalar_one()
    return Pruned(tuple(run_from(row) for row in connection.execute(query).mappings()), drills)


def prune(connection: sa.Connection, older_than: timedelta, keep_last: int, *, automatic: bool = False) -> Pruned:
    """Remove it, runs with their sections; how much was removed is noted."""
    pruned = prunable(connection, older_than, keep_last)
    for start in range(0, len(pruned.runs), AT_ONCE):
        ids = [run.id for run in pruned.runs[start : start + AT_ONCE]]
        connection.execute(sa.delete(tables.runs).where(tables.runs.c.id.in_(ids)))
    connection.execute(sa.delete(tables.drills).where(*_old_drills(older_than, keep_last)))
    connection.execute(
        sa.insert(tables.prunings).values(
            at=time.time(),
            older_than=older_than.total_seconds(),
            runs=len(pruned.runs),
            drills=pruned.drills,
            automatic=automatic,
        )
    )
    return pruned


def _old_drills(older_than: timedelta, keep_last: int) -> list[sa.ColumnElement[bool]]:
    c = tables.drills.c
    newest = sa.select(c.id).order_by(c.started.desc(), c.id.desc()).limit(keep_last)
    return [c.started < _before(older_than), c.id.not_in(newest)]


def _before(older_than: timedelta) -> float:
    return time.time() - older_than.total_seconds()


def prune_if_due(connection: sa.Connection, days: float) -> Pruned | None:
    """At most once a day, and by one process only."""
    if connection.dialect.name == "postgresql":
        mine = connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_ADVISORY))).scalar()
        if not mine:
            return None
    c = tables.prunings.c
    last = connection.execute(sa.select(sa.func.max(c.at)).where(c.automatic)).scalar()
    if last is not None and time.time() - last < DUE_AFTER:
        return None
    pruned = prune(connection, timedelta(days=days), DEFAULT_KEEP, automatic=True)
    # The notes need not outlive what they are about by years.
    connection.execute(sa.delete(tables.prunings).where(c.at < _before(timedelta(days=days))))
    return pruned if pruned.runs or pruned.drills else None


def prunings(connection: sa.Connection, limit: int) -> list[Pruning]:
    """Those that removed something, the newest first."""
    c = tables.prunings.c
    query = (
        sa.select(c.at, c.older_than, c.runs, c.drills, c.automatic)
        .where(sa.or_(c.runs > 0, c.drills > 0))
        .order_by(c.at.desc())
        .limit(limit)
    )
    return [Pruning(**row) for row in connection.execute(query).mappings()]


def _both(runs: int, drills: int) -> str:
    """``1 run and 3 drills``; what there is none of is not named."""
    counted = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in ((runs, "run"), (drills, "drill"))]
    return " and ".join(text for text in counted if not text.startswith("0 ")) or "nothing"
