# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults by name, and how to inject and heal them."""

from __future__ import annotations

import time

from .. import edge, process
from ..lab import Lab
from ..layout import LabError, UsageError
from ..locking import exclusive
from . import application, network, replication, servers, sessions
from .fault import CannotBreakError, Fault
from .state import ActiveFault, active, forget, record

FAULTS: dict[str, Fault] = {
    fault.name: fault for module in (servers, network, sessions, replication, application) for fault in module.FAULTS
}
DEFAULT_LEASE = 1800.0
HEALING = 120.0  # seconds


def get(name: str) -> Fault:
    """The fault called ``name``; UsageError with the list of names otherwise."""
    try:
        return FAULTS[name]
    except KeyError:
        raise UsageError(f"unknown fault {name!r}; remedy: one of {', '.join(sorted(FAULTS))}") from None


def inject(lab: Lab, name: str, *, lease: float = DEFAULT_LEASE) -> Fault:
    """Break it. After ``lease`` seconds the janitor heals it, whatever became of the one who broke it."""
    with exclusive(lab.layout.folder, wait=5):
        return _inject(lab, get(name), lease)


def _inject(lab: Lab, fault: Fault, lease: float) -> Fault:
    if not lease > 0:
        raise UsageError(f"--for {lease:g}: a fault needs an expiry in the future, in seconds")
    if process.find(lab.layout, "janitor") is None:
        raise LabError("the janitor that would heal an expired fault is not running; remedy: runbook lab up")
    if any(other.name == fault.name for other in active(lab.layout)):
        raise LabError(f"fault {fault.name} is already there; remedy: runbook lab heal")
    now = time.time()
    record(lab.layout, ActiveFault(fault.name, fault.cause, now, now + lease))
    try:
        fault.inject(lab)
    except CannotBreakError:
        forget(lab.layout, fault.name)
        raise
    except LabError as error:  # perhaps half of it was done: the record stays, and the janitor heals it
        raise LabError(f"fault {fault.name} did not take effect whole: {error}; then runbook lab heal") from error
    return fault


def heal(lab: Lab) -> list[str]:
    """Put everything back, whatever was broken and however far a runbook has repaired it; the names of the faults."""
    with exclusive(lab.layout.folder, wait=HEALING):  # the janitor may be at it
        return put_back(lab)


def put_back(lab: Lab) -> list[str]:
    """As :func:`heal`, for one who holds the lab's lock."""
    layout = lab.layout
    faults = active(layout)
    sessions.end_holders(layout)
    application.recall_passwords(layout)
    lab.revive()
    lab.cluster.reset()
    sessions.end_left(lab)
    for endpoint in layout.endpoints:
        if endpoint != "recovery":
            edge.set_mode(layout, endpoint, "forward")
    lab.point_endpoints()
    lab.aws.reset()
    lab.kubernetes.reset()
    lab.kubernetes.restart_backend()  # a pool that was broken stays broken until its process is new
    lab.wait_until_well()
    for fault in faults:
        forget(layout, fault.name)
    return [fault.name for fault in faults]
