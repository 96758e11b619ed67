# SPDX-License-Identifier: BSD-2-Clause
"""How facts are read: several parts at once, each under a deadline, and what could not be read is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .core.errors import ReadError
from .core.gather import Job, gather


def error_entry(error: ReadError) -> dict[str, str]:
    """``kind``, ``message`` (where and what) and ``remedy`` of an error, JSON-clean."""
    message = f"{error.where}: {error.message}" if error.where else error.message
    return {"kind": error.kind, "message": message, "remedy": error.remedy}


def at_once(calls: Mapping[str, Callable[[], Any]], deadline: float) -> dict[str, Any]:
    """What each of the calls gives, or ``{"error": {...}}``: a part of the facts that fails costs only itself.

    :param deadline: seconds after which a call counts as unanswered, whatever it still does.
    :raises Exception: the first error that is no ReadError: a configuration that makes no sense, or a bug.
    """
    found: dict[str, Any] = {}
    for name, outcome in gather({name: Job(call, deadline) for name, call in calls.items()}).items():
        if outcome.error is None:
            found[name] = outcome.value
        elif isinstance(outcome.error, ReadError):
            found[name] = {"error": error_entry(outcome.error)}
        else:
            raise outcome.error
    return found
