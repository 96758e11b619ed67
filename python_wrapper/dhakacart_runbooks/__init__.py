# SPDX-License-Identifier: GPL-3.0-or-later
"""DhakaCart's runbooks from the command line and from Python: ``Catalogue → RunRequest → Launcher → RunOutcome``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalogue import Catalogue, Runbook, Section, Step
    from .collection import Collection
    from .errors import ExitCode, InfrastructureError, RunbookError, UsageError
    from .finding import Finding, Status
    from .history import History
    from .launcher import RunnerLauncher
    from .outcome import RunOutcome, RunStatus
    from .request import RunRequest

# Loaded when they are asked for: whoever only lists runbooks does not wait for ansible-runner or SQLAlchemy.
_HOMES = {
    "Catalogue": "catalogue",
    "Collection": "collection",
    "ExitCode": "errors",
    "Finding": "finding",
    "History": "history",
    "InfrastructureError": "errors",
    "RunOutcome": "outcome",
    "RunRequest": "request",
    "RunStatus": "outcome",
    "Runbook": "catalogue",
    "RunbookError": "errors",
    "RunnerLauncher": "launcher",
    "Section": "catalogue",
    "Status": "finding",
    "Step": "catalogue",
    "UsageError": "errors",
}
__all__ = [
    "Catalogue",
    "Collection",
    "ExitCode",
    "Finding",
    "History",
    "InfrastructureError",
    "RunOutcome",
    "RunRequest",
    "RunStatus",
    "Runbook",
    "RunbookError",
    "RunnerLauncher",
    "Section",
    "Status",
    "Step",
    "UsageError",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
