# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, in one line that says what, where and what to do next; and the exit codes of the command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What ``runbook`` answers to the shell."""

    HEALTHY = 0
    USAGE = 1
    UNHEALTHY = 2
    INTERRUPTED = 3
    INFRASTRUCTURE = 4


class RunbookError(Exception):
    """Base of every error that this package raises on purpose.

    :param what: the problem.
    :param where: the file, option, key or host it is about.
    :param remedy: what to do next.
    """

    exit_code = ExitCode.INFRASTRUCTURE

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; remedy: {self.remedy}" if self.remedy else text


class UsageError(RunbookError):
    """What was asked for does not exist or makes no sense; nothing was started."""

    exit_code = ExitCode.USAGE


class InfrastructureError(RunbookError):
    """This machine, a file or a server is not as it has to be."""

    exit_code = ExitCode.INFRASTRUCTURE
