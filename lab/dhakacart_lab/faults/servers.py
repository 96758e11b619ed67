# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the database servers themselves."""

from __future__ import annotations

from ..lab import Lab
from .fault import CannotBreakError, Fault


def _kill_both(lab: Lab) -> None:
    lab.cluster.standby().kill()
    lab.cluster.primary().kill()


def _fill_disk(lab: Lab) -> None:
    primary = lab.cluster.primary()
    if not primary.disk_can_fill:
        raise CannotBreakError(f"fault disk-full cannot run here: {primary.disk_reason}")
    primary.fill_disk()


FAULTS = (
    Fault(
        "primary-killed",
        "The PostgreSQL primary is killed.",
        "primary_down",
        "failover",
        lambda lab: lab.cluster.primary().kill(),
    ),
    Fault(
        "primary-frozen",
        "The PostgreSQL primary is stopped (SIGSTOP): it accepts connections and answers nothing.",
        "primary_frozen",
        "failover",
        lambda lab: lab.cluster.primary().freeze(),
        settle=6,  # the standby must have been without a message for longer than a healthy primary ever leaves it
    ),
    Fault(
        "standby-gone",
        "The standby is killed.",
        "standby_down",
        None,
        lambda lab: lab.cluster.standby().kill(),
    ),
    Fault(
        "servers-lost",
        "Primary and standby are both killed.",
        "no_server_left",
        "restore",
        _kill_both,
        settle=20,  # longer than the lab's limit for AWS not hearing from the server, 15 s
    ),
    Fault(
        "disk-full",
        "The primary's disk is full.",
        "disk_full",
        "storage",
        _fill_disk,
        settle=4,
    ),
)
