# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill needs of the thing that it breaks, and the lab as such a thing. The only module that touches the lab."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import InfrastructureError
from .measures import AttemptLike, OutageLike
from .scenario import Precondition

if TYPE_CHECKING:
    from dhakacart_lab.shopper.record import Attempt

ORDERING_SECONDS = 3.0  # without a failed order, before anything is broken
HISTORY_SECONDS = 3600.0  # how far back lost orders are looked for
REPLAY_BYTES = 16 * 1024 * 1024  # a standby that is further behind is not in sync
RESIDUE_SECONDS = 45.0  # what was healed may still be settling, e.g. a replica count


class Target(Protocol):
    """Something that can be broken on a leash, healed, and compared with what it was."""

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str:
        """What the live systems must call themselves."""

    @property
    def environment(self) -> str:
        """The environment that it plays."""

    @property
    def overlays(self) -> tuple[str, ...]:
        """Inventories that lead to it, to be read after the one that was asked for."""

    @property
    def hosts(self) -> tuple[str, str]:
        """The addresses of the primary's and the standby's endpoint."""

    def unmet(self, condition: Precondition) -> str:
        """Why the precondition does not hold; empty where it does. ``pager-silent`` is the drill's own."""

    def snapshot(self) -> dict[str, Any]:
        """What it is now, as plain JSON types."""

    def residue(self, before: dict[str, Any]) -> list[str]:
        """What is different when everything had time to settle, a line a difference."""

    def inject(self, fault: str, lease: float) -> None: ...

    def broken(self) -> list[str]:
        """The names of the faults that are there now."""

    def heal(self) -> None:
        """Put everything back and wait until it is well."""

    def secrets(self) -> Path:
        """A file where no runbook, check or person looks: for what a blind drill hides."""

    def outages(self, since: float) -> Sequence[OutageLike]: ...

    def failing(self, since: float) -> tuple[int, int, str]:
        """Orders that did not succeed, all orders, and what the last customer was told."""

    def lost(self) -> Sequence[AttemptLike]:
        """Acknowledged orders of the last hour that the database does not hold."""


@contextmanager
def lab_errors() -> Iterator[None]:
    """The lab's errors, and those of the libraries under it, as one line."""
    from dhakacart_lab.failures import as_lab_errors
    from dhakacart_lab.layout import LabError

    try:
        with as_lab_errors():
            yield
    except LabError as error:
        what, _, remedy = str(error).partition("; remedy: ")
        raise InfrastructureError(what, remedy=remedy) from error


class LabTarget:
    """A lab that is up; InfrastructureError where there is none of that name."""

    def __init__(self, name: str) -> None:
        try:
            from dhakacart_lab.lab import Lab
        except ModuleNotFoundError as missing:
            raise InfrastructureError(
                f"Python package {missing.name!r} is missing, which the lab needs", remedy="make setup"
            ) from None
        with lab_errors():
            self.lab = Lab.open(name)

    @property
    def name(self) -> str:
        return self.lab.layout.name

    @property
    def identity(self) -> str:
        return self.lab.layout.lab_id

    @property
    def environment(self) -> str:
        return self.lab.layout.environment

    @property
    def overlays(self) -> tuple[str, ...]:
        layout = self.lab.layout
        return (str(layout.inventory),) if layout.environment != "lab" else ()

    @property
    def hosts(self) -> tuple[str, str]:
        endpoints = self.lab.layout.endpoints
        return endpoints["primary"].host, endpoints["replica"].host

    def unmet(self, condition: Precondition) -> str:
        tests = {
            "lab-well": self._ill,
            "no-fault": lambda: ", ".join(self.broken()) and f"still broken: {', '.join(self.broken())}",
            "customers-ordering": self._customers_stand_still,
            "standby-in-sync": self._standby_behind,
            "leash": self._no_leash,
        }
        if condition not in tests:
            return ""
        try:
            return tests[condition]()
        except InfrastructureError as error:
            return str(error)

    def snapshot(self) -> dict[str, Any]:
        from dhakacart_lab.residue import snapshot

        with lab_errors():
            return dict(snapshot(self.lab).to_dict())

    def residue(self, before: dict[str, Any]) -> list[str]:
        from dhakacart_lab.residue import Snapshot, remaining

        with lab_errors():
            return remaining(self.lab, Snapshot.from_dict(before), within=RESIDUE_SECONDS)

    def inject(self, fault: str, lease: float) -> None:
        from dhakacart_lab.faults.catalogue import inject

        with lab_errors():
            inject(self.lab, fault, lease=lease)

    def broken(self) -> list[str]:
        from dhakacart_lab.faults.state import active

        with lab_errors():
            return [fault.name for fault in active(self.lab.layout)]

    def heal(self) -> None:
        from dhakacart_lab.faults.catalogue import heal

        with lab_errors():
            heal(self.lab)

    def secrets(self) -> Path:
        return self.lab.layout.faults.parent / "blind-drill.json"

    def outages(self, since: float) -> Sequence[OutageLike]:
        from dhakacart_lab.shopper.record import outages

        return outages(self._attempts(since), since)

    def failing(self, since: float) -> tuple[int, int, str]:
        attempts = self._attempts(since)
        bad = [attempt for attempt in attempts if attempt.outcome != "acknowledged"]
        return len(bad), len(attempts), (bad[-1].error or "no answer") if bad else ""

    def lost(self) -> Sequence[AttemptLike]:
        from dhakacart_lab.shopper.record import lost_attempts

        with lab_errors(), self.lab.cluster.connect() as connection:
            return lost_attempts(self._attempts(time.time() - HISTORY_SECONDS), connection)

    def _attempts(self, since: float) -> list[Attempt]:
        from dhakacart_lab.shopper.record import read

        return [attempt for attempt in read(self.lab.layout) if attempt.finished >= since]

    def _ill(self) -> str:
        with lab_errors():
            parts = self.lab.status()
        return "; ".join(f"{p.name}: {p.detail}" for p in parts if not p.healthy and p.name != "faults")

    def _customers_stand_still(self) -> str:
        failed, orders, last = self.failing(time.time() - ORDERING_SECONDS)
        if failed:
            return f"{failed} of {orders} orders failed in the last {ORDERING_SECONDS:.0f} s: {last}"
        return "" if orders else f"no order in the last {ORDERING_SECONDS:.0f} s: is the shopper running?"

    def _standby_behind(self) -> str:
        query = (
            "select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), -1)"
            " from pg_stat_replication where state = 'streaming' and sync_state in ('sync', 'quorum')"
        )
        with lab_errors(), self.lab.cluster.connect() as connection:
            row = connection.execute(query).fetchone()
        behind = float(row[0]) if row else -1.0
        if behind < 0:
            return "no standby streams synchronously"
        return f"the standby is {behind / 1e6:.0f} MB behind" if behind > REPLAY_BYTES else ""

    def _no_leash(self) -> str:
        from dhakacart_lab import process
        from dhakacart_lab.faults import leash

        gone = [name for name in (leash.JANITOR, leash.WATCHDOG) if process.find(self.lab.layout, name) is None]
        return f"{' and '.join(gone)}: not running, so nobody ends an expired fault" if gone else ""
