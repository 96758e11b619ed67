# SPDX-License-Identifier: GPL-3.0-or-later
"""What customers lost, from their own record: how long they could not order (RTO) and which orders are gone (RPO).

It takes plain objects with the attributes of ``Outage`` and ``Attempt`` of ``dhakacart_lab.shopper.record``, so that it
is tested without a lab.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol


class OutageLike(Protocol):
    """``end`` is None while it lasts. Epoch seconds."""

    @property
    def start(self) -> float: ...

    @property
    def end(self) -> float | None: ...


class AttemptLike(Protocol):
    """An attempt to order that the shop acknowledged."""

    @property
    def id(self) -> str: ...

    @property
    def finished(self) -> float: ...


@dataclass(frozen=True)
class Downtime:
    """How long customers could not order.

    :param seconds: from the first failed order of the first outage to the first order that works again for good;
        0.0 where customers saw nothing; None while it lasts.
    :param outages: how many separate outages lie in that time. More than one means that the shop came back and failed
        again: the pauses between them are counted, because it was not over.
    """

    seconds: float | None
    outages: int
    started: float | None = None

    @property
    def over(self) -> bool:
        return self.seconds is not None


def downtime(outages: Iterable[OutageLike], since: float, until: float | None = None) -> Downtime:
    """The downtime of one drill.

    :param since: when the fault was injected; what began before is not the drill's.
    :param until: when the drill stopped looking; what began later is not the drill's either.
    """
    seen = sorted(
        (o for o in outages if o.start >= since and (until is None or o.start <= until)), key=lambda o: o.start
    )
    if not seen:
        return Downtime(0.0, 0)
    ends = [outage.end for outage in seen]
    if any(end is None for end in ends):
        return Downtime(None, len(seen), seen[0].start)
    return Downtime(max(end for end in ends if end is not None) - seen[0].start, len(seen), seen[0].start)


@dataclass(frozen=True)
class Loss:
    """Acknowledged orders that the database does not hold any more.

    :param seconds: the span that they cover: from the oldest of them to the failure, or to the youngest of them where
        orders were lost after it; 0.0 where none was lost.
    """

    count: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def loss(missing: Iterable[AttemptLike], known_before: Iterable[str], failed: float) -> Loss:
    """What the drill lost.

    :param known_before: ids of attempts that were missing before it began; they are not the drill's.
    :param failed: when the fault was injected (epoch seconds).
    """
    before = set(known_before)
    times = [attempt.finished for attempt in missing if attempt.id not in before]
    if not times:
        return Loss(0, 0.0)
    return Loss(len(times), round(max(failed, *times) - min(times), 3))
