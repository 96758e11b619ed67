# SPDX-License-Identifier: GPL-3.0-or-later
"""What the timeline chart shows of a record. Pure."""

from __future__ import annotations

from .chart import Item, Lane
from .model import Record, Run, Section
from .story import VERDICTS
from .text import clock, duration


def lanes(record: Record) -> tuple[Lane, ...]:
    """Outage, sections, approvals, changes and verdicts; those that the record knows nothing of are empty."""
    return (
        Lane("Shop down", tuple(Item(o.began, o.ended, _down(o.began, o.ended), "critical") for o in record.outages)),
        Lane("Sections", tuple(item for section in record.sections if (item := _section(section)))),
        Lane("Cut short", tuple(item for run in record.runs if (item := _cut_short(run)))),
        Lane(
            "Approvals",
            tuple(Item(a.time, a.time, f"{a.action or 'approved'} ({a.by or 'by nobody named'})", "unknown")
                  for a in record.approvals if a.time is not None),
        ),
        Lane(
            "Changes",
            tuple(Item(s.time, s.time, _step(s.title, s.outcome), "critical" if s.outcome == "failed" else "change")
                  for s in record.steps if s.time is not None),
        ),
        Lane(
            "Verdicts",
            tuple(Item(v.time, v.time, VERDICTS[v.recovered][0], VERDICTS[v.recovered][1])
                  for v in record.verifications if v.time is not None),
        ),
    )  # fmt: skip


def _down(began: float, ended: float | None) -> str:
    return "still down" if ended is None else f"no order for {duration(ended - began)}"


def _section(section: Section) -> Item | None:
    if section.ended is None:
        return None
    start = section.started if section.started is not None else section.ended - (section.elapsed or 0)
    limit = None if section.budget is None else start + section.budget
    took = f"{duration(section.elapsed)} of {clock(section.budget)}" if section.budget else duration(section.elapsed)
    over = ", over budget" if section.over_budget else ""
    check = ", --check" if section.check else ""
    status = f", {section.status}" if section.status else ""
    return Item(min(start, section.ended), section.ended, f"{section.section}{check}: {took}{over}{status}",
                section.status or "unknown", limit)  # fmt: skip


def _cut_short(run: Run) -> Item | None:
    """A run that was ended or broke closes no section, so it would be missing from the picture."""
    if run.started is None or run.status in ("healthy", "unhealthy", "failed", "refused"):
        return None
    what = ", ".join(run.sections) or "run"
    return Item(run.started, run.finished or run.started, f"{what}: {run.status or 'no outcome'}", "warning")


def _step(title: str, outcome: str) -> str:
    return title if outcome == "changed" else f"{title} ({outcome.replace('_', ' ')})"
