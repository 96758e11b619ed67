# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from .errors import ExitCode
from .finding import Finding
from .request import RunRequest


class RunStatus(StrEnum):
    """How a run ended."""

    HEALTHY = "healthy"  # done, and nothing critical or unreadable is left
    UNHEALTHY = "unhealthy"  # done, and something is
    FAILED = "failed"  # a step failed, a change was refused, or the verdict is "not recovered"
    REFUSED = "refused"  # the preflight found that it was asked for the impossible; nothing was done
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    BROKEN = "broken"  # Ansible could not be run, or could not reach what it needs

    @property
    def exit_code(self) -> ExitCode:
        return {
            RunStatus.HEALTHY: ExitCode.HEALTHY,
            RunStatus.REFUSED: ExitCode.USAGE,
            RunStatus.UNHEALTHY: ExitCode.UNHEALTHY,
            RunStatus.FAILED: ExitCode.UNHEALTHY,
            RunStatus.CANCELLED: ExitCode.INTERRUPTED,
            RunStatus.TIMEOUT: ExitCode.INTERRUPTED,
            RunStatus.BROKEN: ExitCode.INFRASTRUCTURE,
        }[self]


@dataclass(frozen=True)
class SectionOutcome:
    """A section that closed itself; one that was interrupted is not among them."""

    section: str
    elapsed_seconds: float
    budget_seconds: float
    likely_cause: str
    next: str


@dataclass(frozen=True)
class RunOutcome:
    """The answer to a ``RunRequest``.

    :param rc: exit code of ``ansible-playbook``; None where it never ran.
    :param started: epoch seconds, as ``finished``.
    :param findings: the last reading of every system.
    :param likely_cause: id of the cause named last; empty for none.
    :param next: the command to type next, as the collection said it.
    :param changed: whether a step changed something (``--check``: would have).
    :param interrupted_step: the title of the step in which a run was ended; what it began may go on at the other end.
    :param message: one line: why it is not healthy.
    :param record: the folder of the incident record; empty where none was written.
    """

    run_id: str
    request: RunRequest
    status: RunStatus
    rc: int | None
    started: float
    finished: float
    environment: str = ""
    findings: tuple[Finding, ...] = ()
    sections: tuple[SectionOutcome, ...] = ()
    likely_cause: str = ""
    next: str = ""
    changed: bool = False
    interrupted_step: str = ""
    message: str = ""
    record: str = ""
    seconds: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", round(self.finished - self.started, 3))

    @property
    def exit_code(self) -> ExitCode:
        return self.status.exit_code

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        found = asdict(self)
        found["status"] = str(self.status)
        found["exit_code"] = int(self.exit_code)
        found["findings"] = [finding.to_result() for finding in self.findings]
        return found
