# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding as the collection's checks report it. Read here, never judged: judgement is the collection's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """In the order of severity; what could not be read is ``unknown``, never ``ok``."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        return list(Status).index(self)


@dataclass(frozen=True)
class Finding:
    """One judged observation."""

    id: str
    component: str
    status: Status
    summary: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    likely_cause: str = ""
    next_step: str = ""

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> Finding:
        """From a module's answer; a finding of no known status is ``unknown``."""
        status = str(result.get("status", ""))
        return cls(
            id=str(result.get("id", "")),
            component=str(result.get("component", "")),
            status=Status(status) if status in list(Status) else Status.UNKNOWN,
            summary=str(result.get("summary", "")),
            evidence=dict(result.get("evidence") or {}),
            likely_cause=str(result.get("likely_cause") or ""),
            next_step=str(result.get("next_step") or ""),
        )

    @property
    def configured(self) -> bool:
        """False for a part that this environment rightly does not have, e.g. a standby that nobody configured."""
        return self.evidence.get("kind") != "not_configured"

    @property
    def sampled(self) -> bool:
        """False for what answered and has too few samples to be judged by, e.g. a cache that has just started."""
        return self.evidence.get("kind") != "no_samples"

    def to_result(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "status": str(self.status), "evidence": dict(self.evidence)}


def worst(findings: Iterable[Finding]) -> Status:
    """The worst status of those that are configured; ``ok`` where there is none."""
    return max((f.status for f in findings if f.configured), key=lambda s: s.severity, default=Status.OK)
