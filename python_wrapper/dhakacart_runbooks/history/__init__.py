# SPDX-License-Identifier: GPL-3.0-or-later
"""What ran, when, by whom and how it ended: in SQLite on this machine, or in PostgreSQL for a team.

Importing this package does not import SQLAlchemy: a run must not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .observer import HistoryObserver
from .rows import LOST, RUNNING, DrillRow, RunRow, SectionRow

if TYPE_CHECKING:
    from .store import History

__all__ = ["LOST", "RUNNING", "DrillRow", "History", "HistoryObserver", "RunRow", "SectionRow"]


def __getattr__(name: str) -> Any:
    if name == "History":
        from .store import History

        return History
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
