# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything stands in the timeline chart. Pure geometry: no label covers another, whatever the times are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FONT = 12
LINE, BAR, ROW_GAP, LANE_GAP = 15, 9, 5, 12
SMALLEST_BAR = 4.0
MARGIN = 4
MOST_ROWS = 12
AXIS = 20
TICK_SPACE = 24
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True)
class Item:
    """Something that happened.

    :param end: equal to ``start`` for a moment; None while it lasts.
    :param tone: ``ok``, ``unknown``, ``warning``, ``critical`` or ``change``.
    :param limit: when its budget ended; what lies beyond is drawn as an overrun.
    """

    start: float
    end: float | None
    label: str
    tone: str
    limit: float | None = None


@dataclass(frozen=True)
class Lane:
    """Items of one kind."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Box:
    """A rectangle, in the units of the chart."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True)
class Mark:
    """A placed item. ``over`` is the part of the bar beyond the budget."""

    item: Item
    bar: Box
    label: str
    text: Box
    over: Box | None
    moment: bool


@dataclass(frozen=True)
class Tick:
    """A time on the axis. ``text`` is centred on ``x``."""

    x: float
    label: str
    text: Box


@dataclass(frozen=True)
class PlacedLane:
    """A lane. ``left_out`` says how many items had no room."""

    name: str
    text: Box
    marks: tuple[Mark, ...]
    left_out: int


@dataclass(frozen=True)
class Chart:
    """The whole picture; ``plot`` is where the items stand."""

    width: float
    height: float
    plot: Box
    lanes: tuple[PlacedLane, ...]
    ticks: tuple[Tick, ...]
    start: float
    end: float


def text_width(text: str, size: float = FONT) -> float:
    """An upper estimate of the width of a text in any usual sans-serif font."""
    return sum(_advance(character) for character in text) * size


def _advance(character: str) -> float:
    if character in "iljtfrI.,:;|!'() ":
        return 0.46
    if unicodedata.east_asian_width(character) in "WF":
        return 1.1
    return 0.98 if character in "mwMW@%…" else 0.8 if character.isupper() else 0.66


def fit(text: str, width: float) -> str:
    """The text, shortened until it fits."""
    if text_width(text) <= width:
        return text
    while text and text_width(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def lay_out(lanes: Sequence[Lane], width: float, gutter: float) -> Chart | None:
    """Place the lanes one below the other.

    :param gutter: what is kept free at the left for the lanes' names; 0 puts each name above its lane.
    :returns: None where there is nothing to show.
    """
    shown = [lane for lane in lanes if lane.items]
    if not shown:
        return None
    scale = _Scale.of(shown, gutter + MARGIN, width - MARGIN)
    y = float(AXIS)
    placed = []
    for lane in shown:
        name = Box(MARGIN if not gutter else 0, y, text_width(lane.name) * 1.1, LINE)
        y += 0 if gutter else LINE + 2
        marks, left_out, height = _rows(lane.items, scale, y)
        placed.append(PlacedLane(lane.name, name, marks, left_out))
        y += max(height, LINE) + LANE_GAP
    plot = Box(scale.left, AXIS, scale.right - scale.left, y - AXIS)
    return Chart(width, y, plot, tuple(placed), tuple(_ticks(scale)), scale.start, scale.end)


@dataclass(frozen=True)
class _Scale:
    start: float
    end: float
    left: float
    right: float

    @classmethod
    def of(cls, lanes: Iterable[Lane], left: float, right: float) -> _Scale:
        times = [time for lane in lanes for item in lane.items for time in (item.start, item.end) if time is not None]
        start, end = min(times), max(times)
        room = max((end - start) * 0.02, 0.5)
        return cls(start - room, end + room, left, right)

    def x(self, time: float) -> float:
        share = (time - self.start) / (self.end - self.start)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)


def _rows(items: Sequence[Item], scale: _Scale, top: float) -> tuple[tuple[Mark, ...], int, float]:
    """Each item in the first row in which it has room for its bar and its label."""
    ends: list[float] = []
    marks: list[Mark] = []
    for item in sorted(items, key=lambda item: (item.start, item.end or scale.end)):
        mark = _mark(item, scale)
        begin = min(mark.bar.x, mark.text.x)
        end = max(mark.bar.x + mark.bar.width, mark.text.x + mark.text.width)
        row = next((number for number, taken in enumerate(ends) if taken + FONT / 2 <= begin), len(ends))
        if row == MOST_ROWS:
            continue
        if row == len(ends):
            ends.append(0.0)
        ends[row] = end
        marks.append(_moved(mark, top + row * (LINE + BAR + ROW_GAP)))
    return tuple(marks), len(items) - len(marks), len(ends) * (LINE + BAR + ROW_GAP) - ROW_GAP


def _mark(item: Item, scale: _Scale) -> Mark:
    moment = item.end is not None and item.end <= item.start
    left = scale.x(item.start)
    right = scale.x(scale.end if item.end is None else item.end)
    size = BAR if moment else SMALLEST_BAR
    if right - left < size:
        middle = (left + right) / 2
        left = min(max(middle - size / 2, scale.left), scale.right - size)
        right = left + size
    label = fit(item.label, scale.right - scale.left)
    wide = text_width(label)
    over = None
    if item.limit is not None and scale.x(item.limit) < right and item.limit < (item.end or scale.end):
        over = Box(max(scale.x(item.limit), left), LINE, right - max(scale.x(item.limit), left), BAR)
    text = Box(max(min(left, scale.right - wide), scale.left), 0, wide, LINE)
    return Mark(item, Box(left, LINE, right - left, BAR), label, text, over, moment)


def _moved(mark: Mark, y: float) -> Mark:
    def down(box: Box) -> Box:
        return Box(box.x, box.y + y, box.width, box.height)

    over = down(mark.over) if mark.over else None
    return Mark(mark.item, down(mark.bar), mark.label, down(mark.text), over, mark.moment)


def _ticks(scale: _Scale) -> list[Tick]:
    """Round times in UTC, as many as have room."""
    span = scale.end - scale.start
    label_width = text_width(_tick_label(scale.start, span))
    most = max(1, int((scale.right - scale.left) // (label_width + TICK_SPACE)))
    step = next((step for step in _STEPS if span / step <= most), None) or _STEPS[-1] * int(
        span / _STEPS[-1] / most + 1
    )
    time = (scale.start // step + 1) * step
    found = []
    while time < scale.end:
        label, x = _tick_label(time, span), scale.x(time)
        wide = text_width(label)
        if scale.left <= x - wide / 2 and x + wide / 2 <= scale.right:
            found.append(Tick(x, label, Box(x - wide / 2, 0, wide, LINE)))
        time += step
    return found


def _tick_label(time: float, span: float) -> str:
    shown = datetime.fromtimestamp(time, UTC)
    if span > 86400:
        return f"{shown:%m-%d %H:%M}"
    return f"{shown:%H:%M}" if span > 3600 else f"{shown:%H:%M:%S}"
