# SPDX-License-Identifier: BSD-2-Clause
"""What a check says: findings, and how they add up. No Ansible, no I/O, no clock."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Status(enum.IntEnum):
    """How bad an observation is. What could not be read is UNKNOWN, never OK."""

    OK = 0
    UNKNOWN = 1
    WARNING = 2
    CRITICAL = 3

    @classmethod
    def parse(cls, word: str) -> Status:
        """The status called ``word`` (``ok``, ``unknown``, ``warning``, ``critical``)."""
        return cls[word.upper()]

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """One judged observation.

    :param id: stable, dotted: ``<system>.<what>``, e.g. ``postgresql.primary``; diagnosis rules name it.
    :param component: what the person calls it, e.g. ``primary``; one word or two.
    :param status: see Status.
    :param summary: one line, with the figure and the threshold, e.g. ``187 of 200 connections in use (limit 80 %)``.
    :param evidence: JSON-clean facts the summary rests on; diagnosis rules test them; no secrets.
    :param likely_cause: what this observation alone suggests, or empty.
    :param next_step: the next thing to do or type, or empty.
    """

    id: str
    component: str
    status: Status
    summary: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    likely_cause: str = ""
    next_step: str = ""

    def to_result(self) -> dict[str, Any]:
        """Plain JSON types, as a module returns them."""
        return {
            "id": self.id,
            "component": self.component,
            "status": str(self.status),
            "summary": self.summary,
            "evidence": dict(self.evidence),
            "likely_cause": self.likely_cause,
            "next_step": self.next_step,
        }

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> Finding:
        """The inverse of :meth:`to_result`."""
        return cls(
            id=result["id"],
            component=result["component"],
            status=Status.parse(result["status"]),
            summary=result["summary"],
            evidence=dict(result.get("evidence", {})),
            likely_cause=result.get("likely_cause", ""),
            next_step=result.get("next_step", ""),
        )


def worst(findings: Iterable[Finding]) -> Status:
    """The worst status; of no findings at all, UNKNOWN: nothing was looked at."""
    return max((finding.status for finding in findings), default=Status.UNKNOWN)


def unread(finding_id: str, component: str, error: Exception, next_step: str = "") -> Finding:
    """The finding for something that could not be read: UNKNOWN, with the reason."""
    return Finding(
        finding_id, component, Status.UNKNOWN, f"not readable: {error}", {"error": str(error)}, "", next_step
    )
