# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults made by database sessions: too many, blocking, or running away.

The sessions belong to a process of the lab, the holder, as they would belong to a job of another team.
"""

from __future__ import annotations

import contextlib
import time

import psutil

from .. import process
from ..lab import Lab
from ..layout import LabError, Layout
from .fault import Fault
from .holder import ENOUGH, GRAB_SECONDS, MOST_GRAB_SECONDS

HOLDER = "dhakacart_lab.faults.holder"

JOBS = ("migration-job", "reporting-job")
# What the leaking job has, and what the shop still has.
SESSIONS_HELD = (
    "select count(*) filter (where application_name = 'reporting-job'),"
    " count(*) filter (where application_name <> 'reporting-job')"
    " from pg_stat_activity where usename = %s"
)


def end_holders(layout: Layout) -> None:
    """End the holders, also one whose pid nobody wrote down because the one who started it was killed."""
    for component in COMPONENTS:
        process.stop(layout, component, timeout=2)
    process.end([found for found in process.all_of(layout.lab_id) if _is_holder(found)], timeout=2)


def _is_holder(found: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return HOLDER in found.cmdline()
    return False


def end_left(lab: Lab) -> None:
    """End the holder's sessions in the server: one that computes does not notice that its client is gone."""
    with lab.cluster.connect() as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = any(%s)", [list(JOBS)]
        )


def _exhaust(lab: Lab) -> None:
    process.start_python(lab.layout, "fault-connections", HOLDER, "exhaust")
    # The shop's own sessions go back to the pool of slots and the leaking job takes them, as it would over a night.
    begin = time.monotonic()
    with lab.cluster.connect(autocommit=True) as admin:
        while time.monotonic() - begin < MOST_GRAB_SECONDS:
            row = admin.execute(SESSIONS_HELD.encode(), [lab.layout.app_user]).fetchone()
            taken, left = (int(row[0]), int(row[1])) if row else (0, 0)
            # A pod that keeps a session goes on serving; once the job takes no more, that cannot be helped.
            if taken >= ENOUGH and (left == 0 or time.monotonic() - begin > GRAB_SECONDS):
                return
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = %s and application_name <> 'reporting-job'",
                [lab.layout.app_user],
            )
            time.sleep(0.2)
    raise LabError(f"fewer than {ENOUGH} connections could be taken in {MOST_GRAB_SECONDS:.0f} s")


def _hold(lab: Lab, component: str, kind: str, visible: str) -> None:
    """Start the holder and wait until the server shows what it does (``visible`` is a condition on its session)."""
    process.start_python(lab.layout, component, HOLDER, kind)

    def seen() -> bool:
        with lab.cluster.connect() as admin:
            query = f"select 1 from pg_stat_activity where application_name = any(%s) and {visible}"  # noqa: S608 - ours
            return admin.execute(query.encode(), [list(JOBS)]).fetchone() is not None

    process.wait_for(component, seen, timeout=10, log=lab.layout.logs / f"{component}.log")


FAULTS = (
    Fault(
        "connections-exhausted",
        "A reporting job leaks connections until the server has none left.",
        "connections_exhausted",
        "end-sessions",
        _exhaust,
        settle=3,
    ),
    Fault(
        "lock-pileup",
        "A migration holds an exclusive lock on products in an open transaction; everyone waits behind it.",
        "lock_pileup",
        "end-sessions",
        lambda lab: _hold(lab, "fault-locks", "lock", "state = 'idle in transaction'"),
        settle=7,
    ),
    Fault(
        "runaway-query",
        "A report runs a query without end.",
        "runaway_query",
        "end-sessions",
        lambda lab: _hold(lab, "fault-runaway", "runaway", "state = 'active'"),
        settle=7,  # longer than the limit for a long query, 5 s
    ),
)
COMPONENTS = ("fault-connections", "fault-locks", "fault-runaway")
