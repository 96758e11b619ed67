# SPDX-License-Identifier: GPL-3.0-or-later
"""Observers hear of a run before Ansible is started: a wrapper that is killed the next moment has left a trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..events import RunStarted

if TYPE_CHECKING:
    from ..launcher_api import Observer
    from .plan import Job


@dataclass(frozen=True)
class Announcement:
    """The first event, and who could not take it."""

    event: RunStarted
    complaints: list[tuple[Observer, Exception]] = field(default_factory=list)


def announce(job: Job) -> Announcement:
    """Tell every observer."""
    request = job.request
    announcement = Announcement(
        RunStarted(
            time=job.started,
            run_id=job.run_id,
            runbook=request.runbook,
            sections=request.sections,
            inventory=request.inventory or "lab",
            check=request.check,
        )
    )
    for observer in job.observers:
        try:
            observer.started(request, announcement.event)
        except Exception as error:
            announcement.complaints.append((observer, error))
    return announcement
