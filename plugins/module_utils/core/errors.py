# SPDX-License-Identifier: BSD-2-Clause
"""The one family of errors of this collection. Clients raise them; modules turn them into one line."""

from __future__ import annotations


class RunbookError(Exception):
    """Something went wrong that a person can act on.

    :param message: what went wrong, one line, no secrets.
    :param where: the address, file or key it went wrong at.
    :param remedy: what to do next.
    """

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}; remedy: {self.remedy}" if self.remedy else text


class ConfigurationError(RunbookError):
    """A variable, option, file or credential is missing or malformed. The run cannot go on."""


class ReadError(RunbookError):
    """A system could not be read. What it would have said is unknown; sometimes the error is itself the diagnosis.

    ``kind`` says how it failed, in words that diagnosis rules can test.
    """

    kind = "error"


class Refused(ReadError):
    """Nothing listens there: the connection was refused or reset."""

    kind = "refused"


class NoRoute(ReadError):
    """The TCP connection itself timed out or could not be routed: the network in between, or the host, is gone."""

    kind = "no_route"


class NoAnswer(ReadError):
    """The TCP connection was made, but no answer came in time: the process is frozen or overloaded."""

    kind = "no_answer"


class Denied(ReadError):
    """It answered and said no: wrong password, expired token, forbidden."""

    kind = "denied"


class Overloaded(ReadError):
    """It answered that it cannot take more: too many connections, throttled."""

    kind = "overloaded"


class NotReady(ReadError):
    """It answered that it is starting up, shutting down or recovering."""

    kind = "not_ready"


class Missing(ReadError):
    """It answered that the thing does not exist."""

    kind = "missing"


class Unexpected(ReadError):
    """It answered something that makes no sense: empty, truncated, of the wrong type or absurd."""

    kind = "unexpected"
