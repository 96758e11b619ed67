# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..layout import LabError

if TYPE_CHECKING:
    from ..lab import Lab


class CannotBreakError(LabError):
    """The fault cannot be made here, and nothing was touched."""


@dataclass(frozen=True)
class Fault:
    """Something the lab can break.

    :param name: what the person types: ``runbook lab break <name>``.
    :param title: one line that says what is broken.
    :param cause: the id of the cause that a good investigation names.
    :param branch: the resolution branch that recovers it, or None where the runbook rightly has none.
    :param inject: breaks it; returns when the break has taken effect.
    :param settle: seconds until the symptoms can be read, e.g. until a lag is long enough to be one.
    :param runbook: the slug of the runbook an engineer would open.
    """

    name: str
    title: str
    cause: str
    branch: str | None
    inject: Callable[[Lab], None]
    settle: float = 1.0
    runbook: str = "database-failure"
