# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on record of one attempt to order."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """acknowledged: the shop said 201. failed: it said no, or could not be reached. unknown: no answer came, or one
    that leaves it open (504), so that the order may exist all the same."""

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Attempt:
    """One attempt to order. Times are epoch seconds; ``status`` is the last HTTP status, None where none came."""

    id: str
    user: int
    started: float
    finished: float
    outcome: Outcome
    status: int | None = None
    order_number: str | None = None
    error: str | None = None

    def line(self) -> str:
        """The attempt as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"
