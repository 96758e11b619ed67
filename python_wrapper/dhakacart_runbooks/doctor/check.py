# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that was looked at, and how all of them add up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from ..errors import ExitCode, RunbookError


class State(StrEnum):
    """``unknown``: it could not be told, which is not the same as well."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """What was looked at.

    :param part: ``machine``, ``inventory`` or ``systems``.
    :param name: one to three words.
    :param detail: what was seen; never a secret.
    :param remedy: what to do where it is not ok.
    """

    part: str
    name: str
    state: State
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Plain JSON types."""
        return {**asdict(self), "state": str(self.state)}


def failed(part: str, name: str, error: RunbookError | str, state: State = State.BAD) -> Check:
    """The check that an error stands for; a remedy at its end goes where remedies stand."""
    what, _, remedy = str(error).partition("; remedy: ")
    return Check(part, name, state, what, remedy)


def verdict(checks: Iterable[Check]) -> ExitCode:
    """Healthy: fit. Unhealthy: something is bad. Infrastructure: nothing is known to be bad, but not all is known."""
    states = {check.state for check in checks}
    if State.BAD in states:
        return ExitCode.UNHEALTHY
    return ExitCode.HEALTHY if states == {State.OK} else ExitCode.INFRASTRUCTURE
