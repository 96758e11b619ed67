# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody who opens the report at 3 a.m. asks first: is it over, what is broken, what comes next. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..finding import Finding, Status
from .model import Latest, Record, Verification, by_severity
from .text import duration, moment, plural

MOST_BROKEN = 5


class State(StrEnum):
    """Whether an incident is over. Only a verification can say that it is."""

    OVER = "over"
    OVER_WITH_RISKS = "over, with open risks"
    NOT_VERIFIED = "not verified"
    NOT_OVER = "not over"
    BROKEN_AGAIN = "broken again"
    UNKNOWN = "not known"

    @property
    def tone(self) -> str:
        """The status whose colour it has."""
        return {
            State.OVER: "ok",
            State.OVER_WITH_RISKS: "warning",
            State.NOT_VERIFIED: "warning",
            State.NOT_OVER: "critical",
            State.BROKEN_AGAIN: "critical",
            State.UNKNOWN: "unknown",
        }[self]


@dataclass(frozen=True)
class Verdict:
    """Whether it is over.

    :param why: one sentence.
    :param details: reasons or risks, a line each.
    :param at: epoch seconds of the reading that it rests on.
    """

    state: State
    why: str
    details: tuple[str, ...] = ()
    at: float | None = None


def judge(record: Record) -> Verdict:
    """The state of the incident, from its last verification and what was read since."""
    last = record.verifications[-1] if record.verifications else _from_section(record)
    critical = [row for row in record.latest.values() if row.finding.status is Status.CRITICAL]
    if last is None or last.recovered is None:
        return _without_verification(record, len(critical))
    if not last.recovered:
        return Verdict(
            State.NOT_OVER, f"the verification at {moment(last.time)} says: not recovered", last.reasons, last.time
        )
    if again := _critical_since(record, last):
        return Verdict(
            State.BROKEN_AGAIN,
            f"recovered at {moment(last.time)}, but since then {again[0].section} read "
            + plural(len(again), "critical finding"),
            tuple(f"{row.finding.component}: {row.finding.summary}" for row in again[:MOST_BROKEN]),
            again[0].time,
        )
    lasted = ""
    if record.opened is not None and last.time is not None and last.time >= record.opened:
        lasted = f", {duration(last.time - record.opened)} after the first evidence"
    state = State.OVER_WITH_RISKS if last.risks else State.OVER
    return Verdict(state, f"verified as recovered at {moment(last.time)}{lasted}", last.risks, last.time)


def _critical_since(record: Record, last: Verification) -> list[Latest]:
    """What is critical now and was not, or not known to be, when it was called recovered."""
    verified = next((s for s in reversed(record.sections) if s.section == "verification" and s.findings), None)
    risks = {f.id for f in verified.findings if f.status is Status.CRITICAL} if verified else set()
    return [
        row
        for row in record.latest.values()
        if row.finding.status is Status.CRITICAL
        and row.section != "verification"
        and row.finding.id not in risks
        and row.time is not None
        and last.time is not None
        and row.time > last.time
    ]


def _from_section(record: Record) -> Verification | None:
    """A verdict whose own line in the timeline is lost."""
    told = next((s for s in reversed(record.sections) if s.recovered is not None), None)
    return Verification(told.ended, told.recovered) if told else None


def _without_verification(record: Record, critical: int) -> Verdict:
    at = max((row.time for row in record.latest.values() if row.time is not None), default=None)
    if not record.latest:
        return Verdict(State.UNKNOWN, "the record holds no readable finding")
    if critical:
        return Verdict(
            State.NOT_OVER, f"{plural(critical, 'critical finding')} at the last reading, {moment(at)}", at=at
        )
    unread = sum(row.finding.status is Status.UNKNOWN and row.finding.configured for row in record.latest.values())
    if unread:
        words = plural(unread, "finding")
        return Verdict(State.UNKNOWN, f"nothing critical at {moment(at)}, but {words} could not be judged", at=at)
    return Verdict(State.NOT_VERIFIED, f"nothing critical at {moment(at)}, and no verification has said so yet", at=at)


@dataclass(frozen=True)
class Broken:
    """What is or was broken.

    :param now: False: it was, at ``at``.
    :param findings: one for each component, the worst first, at most MOST_BROKEN.
    :param more: how many further critical findings there are.
    """

    now: bool
    findings: tuple[Finding, ...]
    more: int
    at: float | None


def broken(record: Record) -> Broken:
    """Critical findings: of now while it lasts, else of the opening (or the first section that saw any)."""
    state = judge(record).state
    if state in (State.NOT_OVER, State.BROKEN_AGAIN):
        now = [row.finding for row in record.latest.values()]
        if shown := _worst_of_each(now):
            times = [row.time for row in record.latest.values() if row.time is not None]
            return Broken(True, *shown, max(times, default=None))
    readings = [(record.opening.findings, record.opening.started)] if record.opening else []
    readings += [(section.findings, section.started) for section in record.sections]
    for findings, at in readings:
        if shown := _worst_of_each(findings):
            return Broken(False, *shown, at)
    return Broken(False, (), 0, None)


def _worst_of_each(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], int] | None:
    critical = [finding for finding in by_severity(findings) if finding.status is Status.CRITICAL]
    if not critical:
        return None
    first = {finding.component: finding for finding in reversed(critical)}
    kept = [finding for finding in critical if first[finding.component] is finding][:MOST_BROKEN]
    return tuple(kept), len(critical) - len(kept)


def next_command(record: Record) -> str:
    """What to type next, as the section that closed last said it."""
    last = record.last_section
    if last and last.next:
        return last.next
    if record.runbook and not last:
        return f"no section has closed; begin with: ansible-playbook playbooks/{record.runbook}.yml --tags immediate"
    return "not in the record"
