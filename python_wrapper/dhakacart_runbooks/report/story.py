# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that happened, in the order of time, a line each. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .model import Approval, Record, Run, Section, Step
from .text import clock, duration

VERDICTS = {True: ("recovered", "ok"), False: ("not recovered", "critical"), None: ("no verdict", "unknown")}


@dataclass(frozen=True)
class Line:
    """Something that happened.

    :param word: one of few, for people who skim.
    :param tone: ``ok``, ``unknown``, ``warning``, ``critical``, ``change`` or empty.
    :param command: something to be typed, e.g. the undo of a change.
    """

    time: float | None
    word: str
    words: str
    tone: str = ""
    command: str = ""


def story(record: Record) -> tuple[Line, ...]:
    """What has no time stands at the end."""
    found = [*_outages(record), *_opening(record), *(_section(s) for s in record.sections)]
    found += [_step(step) for step in record.steps]
    found += [_approval(approval) for approval in record.approvals]
    for verdict in record.verifications:
        words = "; ".join((*verdict.reasons, *(f"open risk: {risk}" for risk in verdict.risks)))
        word, tone = VERDICTS[verdict.recovered]
        found.append(Line(verdict.time, word, words or "by the verification", tone))
    found += [Line(m.time, m.event, m.words) for m in record.moments if m.event != "run"]
    found += [line for run in record.runs for line in _run(run)]
    return tuple(sorted(found, key=lambda line: float("inf") if line.time is None else line.time))


def _outages(record: Record) -> Iterator[Line]:
    for outage in record.outages:
        yield Line(outage.began, "shop down", "customers cannot order any more", "critical")
        if outage.ended is not None:
            yield Line(outage.ended, "shop up", f"orders again after {duration(outage.ended - outage.began)}", "ok")


def _opening(record: Record) -> Iterator[Line]:
    if record.opening:
        words = f"{len(record.opening.findings)} findings read before any change"
        yield Line(record.opening.started, "evidence", words, record.opening.status)


def _section(section: Section) -> Line:
    budget = f" of {clock(section.budget)}" if section.budget else ""
    parts = [f"{section.section} took {duration(section.elapsed)}{budget}"]
    if section.status:
        parts.append(f"worst: {section.status}")
    if section.over_budget:
        parts.append("over its budget")
    if section.cause:
        parts.append(f"likely cause: {section.cause.title}")
    return Line(section.ended, "section --check" if section.check else "section", "; ".join(parts), section.status)


def _step(step: Step) -> Line:
    message = f": {step.message}" if step.message else ""
    tone = "critical" if step.outcome == "failed" else "change"
    word = {"would_change": "would change", "changed": "changed"}.get(step.outcome, step.outcome or "step")
    return Line(step.time, word, f"{step.title}{message}", tone, step.undo)


def _approval(approval: Approval) -> Line:
    by = f" by {approval.by}" if approval.by else ""
    how = f" ({approval.how})" if approval.how else ""
    reason = f": {approval.reason}" if approval.reason else ""
    return Line(approval.time, "approved", f"{approval.action}{by}{how}{reason}", "unknown")


def _run(run: Run) -> Iterator[Line]:
    """A run that ended well is told by its sections."""
    if run.status in ("healthy", "unhealthy"):
        return
    step = f", in step {run.interrupted_step}; what it began may go on" if run.interrupted_step else ""
    message = f": {run.message}" if run.message else ""
    what = ", ".join(run.sections) or "run"
    time = run.finished if run.finished is not None else run.started
    yield Line(time, run.status or "no outcome", f"{what} ({run.run_id}){step}{message}", "warning")
