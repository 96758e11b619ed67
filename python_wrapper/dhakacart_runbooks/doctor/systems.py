# SPDX-License-Identifier: GPL-3.0-or-later
"""Which systems answer from where the checks run. Whether they are well is triage's question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..finding import Finding, Status
from .check import Check, State

PART = "systems"
# System -> the finding that tells whether it answered, and its name for people.
PROBES = {
    "http": ("http.ready", "shop"),
    "kubernetes": ("kubernetes.api", "Kubernetes"),
    "postgresql": ("postgresql.primary", "database"),
    "rds": ("rds.api", "AWS"),
    "redis": ("redis.reachable", "Redis"),
}
SILENT = frozenset({"refused", "no_route", "no_answer"})
DENIED = "denied"
MOST_SKEW = 60.0
REMEDY = {
    "refused": "the way there is open and nothing listens: is it up? runbook triage",
    "no_route": "check route, firewall and VPN, or set dhakacart_bastion to a host that sees it",
    "no_answer": "check route, firewall and VPN, or set dhakacart_bastion to a host that sees it",
    DENIED: "renew the credentials that the inventory names",
}


def checks(findings: Iterable[Finding]) -> Iterator[Check]:
    """One for each system, and the clock."""
    by_id = {finding.id: finding for finding in findings}
    for system, (probe, name) in PROBES.items():
        yield answered(name, by_id.get(probe) or by_id.get(f"{system}.api"))
    yield clock(by_id.get("kubernetes.api"))


def answered(name: str, finding: Finding | None) -> Check:
    """An answer is an answer, also one that says that something is wrong."""
    if finding is None:
        return Check(PART, name, State.UNKNOWN, "was not read", "runbook triage")
    kind = str(finding.evidence.get("kind") or "")
    if kind == DENIED:
        return Check(PART, name, State.BAD, finding.summary, REMEDY[kind])
    if kind in SILENT:
        return Check(PART, name, State.UNKNOWN, finding.summary, REMEDY[kind])
    if finding.status is Status.UNKNOWN:
        return Check(PART, name, State.UNKNOWN, finding.summary, finding.next_step or "runbook triage")
    return Check(PART, name, State.OK, "answers" if finding.status is not Status.OK else finding.summary)


def clock(finding: Finding | None) -> Check:
    """AWS refuses signatures of a clock that is minutes wrong, and a record of an incident is wrong by as much."""
    skew = finding.evidence.get("clock_skew_seconds") if finding else None
    if not isinstance(skew, int | float) or isinstance(skew, bool):
        return Check(PART, "clock", State.UNKNOWN, "nothing that answered told the time", "timedatectl status")
    state = State.OK if abs(skew) <= MOST_SKEW else State.BAD
    return Check(PART, "clock", state, f"{abs(skew):.0f} s from the clock of Kubernetes", "set it by NTP")
