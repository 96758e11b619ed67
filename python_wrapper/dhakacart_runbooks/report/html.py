# SPDX-License-Identifier: GPL-3.0-or-later
"""A record as one self-contained HTML page. Pure: the same record and time give the same page."""

from __future__ import annotations

from ..finding import Finding
from .chart import Chart, lay_out
from .lanes import lanes
from .model import Record
from .page import render_page
from .text import moment, plural
from .view import View, pairs

WIDE, GUTTER, NARROW = 1160.0, 96.0, 350.0


def render(record: Record, made: float) -> str:
    """The page.

    :param made: epoch seconds at which the report is made.
    """
    view = View(record)
    shown = lanes(record)
    wide, narrow = lay_out(shown, WIDE, GUTTER), lay_out(shown, NARROW, 0.0)
    return render_page(
        f"{view.title}: {view.verdict.state}",
        "report.html.j2",
        view=view,
        record=record,
        made=made,
        wide=wide,
        narrow=narrow,
        chart_words=_described(wide),
        left_out=_left_out(wide, narrow),
        pairs=_pairs,
    )


def _pairs(finding: Finding) -> object:
    return pairs(finding.evidence)


def _described(chart: Chart | None) -> str:
    """The picture in words, for those who cannot see it."""
    if chart is None:
        return ""
    told = [f"{lane.name}: {'; '.join(mark.item.label for mark in lane.marks)}" for lane in chart.lanes]
    return f"From {moment(chart.start)} to {moment(chart.end)}. {'. '.join(told)}."


def _left_out(*charts: Chart | None) -> str:
    """What had no room in the picture."""
    most = max((sum(lane.left_out for lane in chart.lanes) for chart in charts if chart), default=0)
    return f"Up to {plural(most, 'item')} had no room in the picture; the table below has them." if most else ""
