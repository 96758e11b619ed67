# SPDX-License-Identifier: BSD-2-Clause
"""What the shop's answers mean. Pure: no I/O, no clock, no Ansible.

Findings of paths that are not asked are left out. What was not read or is absurd is ``unknown``, with ``kind`` and
``reason`` as evidence. ``/ready`` is the gate of success; ``/health`` also wants Redis and is never critical.

================  ====================================================================================================
id (component)    evidence
================  ====================================================================================================
http.ready        path, http_status, seconds, state, reason, message, checks; kind of a failure
http.live         the same
http.health       the same
http.products     the same, items
http.latency      slowest, seconds (path -> seconds)
================  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, graded, judges, not_read, number, part, seconds
from .arguments import Thresholds

_PARTS = ("ready", "live", "health", "products")
# The reasons why we, rather than the shop, may be at fault: then nothing is known about the shop.
_UNKNOWN_KINDS = frozenset({"no_route", "unexpected", "error"})


def judge(facts: Mapping[str, Any], thresholds: Thresholds) -> list[Finding]:
    """All findings on the shop as a visitor sees it, in the order of the table above."""
    judgements = {"ready": ready, "live": live, "health": health, "products": products}
    asked = [name for name in _PARTS if not isinstance(facts, Mapping) or facts.get(name, "missing") is not None]
    return [*(judgements[name](facts) for name in asked), latency(facts, thresholds)]


def _evidence(found: Facts) -> dict[str, Any]:
    evidence = {key: found.get(key) for key in ("path", "seconds", "state", "reason", "message", "checks")}
    return {"http_status": found.get("status"), **evidence}


def _judged(facts: Facts, name: str, component: str, bad: Status) -> Finding:
    """OK for 200; ``bad`` for any other answer and for none; UNKNOWN where the shop may not be to blame."""
    found = facts.get(name)
    if not isinstance(found, Mapping):
        raise NotJudged(f"{name} was not read", "missing")
    finding_id = f"http.{name}"
    if found.get("error"):
        reason = not_read(found["error"])
        status = Status.UNKNOWN if reason.kind in _UNKNOWN_KINDS else bad
        evidence = {**_evidence(found), "kind": reason.kind, "reason": str(reason)}
        return Finding(finding_id, component, status, str(reason), evidence)
    code = number(found, "status", at_least=100, at_most=599)
    took = seconds(number(found, "seconds"))
    evidence = _evidence(found)
    path = found.get("path")
    if code == 429:
        evidence |= {"kind": "overloaded", "reason": "rate limited"}
        return Finding(finding_id, component, Status.UNKNOWN, f"{path}: 429, the rate limit of the path", evidence)
    if code != 200:
        said = found.get("message") or found.get("reason") or found.get("state") or "no reason given"
        evidence["kind"] = "http_status"
        return Finding(finding_id, component, bad, f"{path}: {code:g} in {took}: {said}", evidence, str(said))
    return Finding(finding_id, component, Status.OK, f"{path}: 200 in {took}", evidence)


@judges("http.ready", "shop")
def ready(facts: Facts) -> Finding:
    """Can the shop take an order? The gate of every recovery."""
    finding = _judged(facts, "ready", "shop", Status.CRITICAL)
    if finding.status is Status.OK and finding.evidence.get("state") not in ("ready", None):
        raise NotJudged(f"200, but its state is {finding.evidence.get('state')!r}")
    if finding.status is Status.OK and part(facts, "ready").get("json") is not True:
        raise NotJudged("200, but the answer is not JSON: something else answers in the shop's place")
    return finding


@judges("http.live", "shop")
def live(facts: Facts) -> Finding:
    """Does the backend's process run?"""
    return _judged(facts, "live", "shop", Status.CRITICAL)


@judges("http.health", "shop")
def health(facts: Facts) -> Finding:
    """Is everything well, Redis and memory included?"""
    finding = _judged(facts, "health", "shop", Status.WARNING)
    if finding.status is Status.OK and finding.evidence.get("state") == "degraded":
        summary = f"{finding.evidence.get('path')}: degraded"
        return Finding(finding.id, "shop", Status.WARNING, summary, finding.evidence)
    return finding


@judges("http.products", "shop")
def products(facts: Facts) -> Finding:
    """Can a visitor see products?"""
    finding = _judged(facts, "products", "shop", Status.CRITICAL)
    if finding.status is not Status.OK:
        return finding
    items = part(facts, "products").get("items")
    evidence = {**finding.evidence, "items": items}
    if items is None:
        raise NotJudged("200, but the answer holds no list of products")
    if items == 0:
        summary = f"{finding.summary}, but the list is empty"
        return Finding(finding.id, "shop", Status.WARNING, summary, evidence, "no products in the database or cache")
    return Finding(finding.id, "shop", Status.OK, f"{finding.summary}, {items} products", evidence)


@judges("http.latency", "shop")
def latency(facts: Facts, limits: Thresholds) -> Finding:
    """How slow is the slowest of the answers? No answer at all is judged above, not here."""
    parts = {name: facts.get(name) for name in _PARTS}
    answered = {name: found for name, found in parts.items() if isinstance(found, Mapping) and not found.get("error")}
    if not answered:
        raise NotJudged("no path answered", "missing")
    took = {str(found.get("path")): number(found, "seconds") for found in answered.values()}
    slowest = max(took, key=lambda path: took[path])
    status = graded(took[slowest], limits.latency_warning_seconds, limits.latency_critical_seconds)
    evidence = {"slowest": slowest, "seconds": took}
    summary = f"slowest {slowest} in {seconds(took[slowest])} (limit {seconds(limits.latency_warning_seconds)})"
    return Finding("http.latency", "shop", status, summary, evidence)
