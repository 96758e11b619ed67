# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shopper wrote down, and what follows from it: outages (RTO) and lost orders (RPO)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from ..layout import Layout
from .attempt import Attempt, Outcome
from .order import place_order

__all__ = [
    "Attempt",
    "Outage",
    "Outcome",
    "acknowledged",
    "lost",
    "lost_attempts",
    "outages",
    "place_order",
    "read",
]

OUTAGE_SECONDS = 1.0
RECOVERED_AFTER = 5


@dataclass(frozen=True)
class Outage:
    """A time in which no customer could order. ``end`` is None while it lasts."""

    start: float
    end: float | None

    @property
    def seconds(self) -> float | None:
        return None if self.end is None else self.end - self.start


def read(layout: Layout) -> list[Attempt]:
    """The attempts on record, in the order in which they ended; none where no shopper ever ran.

    Those from before the oldest order that is kept are left out: that their orders are gone is no loss.
    """
    since = kept_since(layout)
    try:
        kept = [attempt for attempt in _parse(layout.orders_log) if attempt.started >= since]
    except FileNotFoundError:
        return []
    return sorted(kept, key=lambda attempt: attempt.finished)


def kept_since(layout: Layout) -> float:
    """Epoch seconds: orders made before may have been dropped for their age; 0 while none was."""
    try:
        return float(layout.kept_since.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return 0.0


def keep_since(layout: Layout, moment: float) -> None:
    """Write down that orders made before ``moment`` may be gone, before the first of them is dropped."""
    layout.kept_since.parent.mkdir(parents=True, exist_ok=True)
    draft = layout.kept_since.with_suffix(".new")
    draft.write_text(f"{max(moment, kept_since(layout)):.3f}\n", encoding="utf-8")
    draft.replace(layout.kept_since)


def _parse(path: Path) -> Iterator[Attempt]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                found = json.loads(line)
                yield Attempt(**{**found, "outcome": Outcome(found["outcome"])})
            except (ValueError, TypeError, KeyError):
                continue  # the half of a line that a killed shopper leaves


def outages(attempts: Iterable[Attempt], since: float = 0.0) -> list[Outage]:
    """The outages that customers saw in attempts started at or after ``since`` (epoch seconds).

    An outage is more than OUTAGE_SECONDS without an acknowledged order while attempts fail. It starts when the first
    attempt that did not succeed began, but not before the last acknowledgement. It ends with the first acknowledgement
    of RECOVERED_AFTER in a row: one order that slips through is no recovery.
    """
    found: list[Outage] = []
    start: float | None = None
    confirmed = False
    row: list[float] = []  # when the orders since the last failure were acknowledged
    last_acknowledged = floor = since
    for attempt in sorted((a for a in attempts if a.started >= since), key=lambda a: a.finished):
        good = attempt.outcome is Outcome.ACKNOWLEDGED
        if not good:
            row = []
            if start is None:
                floor, start = last_acknowledged, attempt.finished
            # The first to end need not be the first that began: a refusal overtakes those that hang.
            start = min(start, max(attempt.started, floor))
        if start is not None and attempt.finished - start > OUTAGE_SECONDS:
            confirmed = True
        if good:
            last_acknowledged = attempt.finished
            row.append(attempt.finished)
            if not confirmed:
                start = None
            elif start is not None and len(row) == RECOVERED_AFTER:
                found.append(Outage(start, row[0]))
                start, confirmed = None, False
    if start is not None and confirmed:
        found.append(Outage(start, None))
    return found


def acknowledged(attempts: Iterable[Attempt], since: float | None = None) -> set[str]:
    """The numbers of the orders acknowledged at or after ``since`` (epoch seconds)."""
    return {
        attempt.order_number
        for attempt in attempts
        if attempt.outcome is Outcome.ACKNOWLEDGED
        and attempt.order_number
        and (since is None or attempt.finished >= since)
    }


def lost(numbers: Iterable[str], connection: psycopg.Connection[Any]) -> list[str]:
    """Those of the order numbers that the orders table does not hold, sorted.

    A number alone can deceive after a failover that lost many orders: the new primary may give it out a second time.
    ``lost_attempts`` is not deceived.
    """
    rows = connection.execute(
        "SELECT number FROM unnest(%s::text[]) AS number"
        " WHERE NOT EXISTS (SELECT FROM orders WHERE order_number = number) ORDER BY number",
        [sorted(set(numbers))],
    )
    return [_first(row) for row in rows]


def lost_attempts(attempts: Iterable[Attempt], connection: psycopg.Connection[Any]) -> list[Attempt]:
    """The acknowledged attempts whose own order is not in the orders table: each order carries its attempt's id."""
    made: Sequence[Attempt] = [attempt for attempt in attempts if attempt.outcome is Outcome.ACKNOWLEDGED]
    rows = connection.execute(
        "SELECT shipping_address ->> 'attempt' FROM orders WHERE order_number = ANY(%s)",
        [[attempt.order_number for attempt in made]],
    )
    kept = {_first(row) for row in rows}
    return [attempt for attempt in made if attempt.id not in kept]


def _first(row: Any) -> Any:
    """The only column, whatever the connection's row factory."""
    return next(iter(row.values())) if isinstance(row, dict) else row[0]
