# SPDX-License-Identifier: GPL-3.0-or-later
"""No label of the timeline chart covers another, whatever the times are."""

from __future__ import annotations

import itertools
import random

import pytest
from dhakacart_runbooks.report.chart import Box, Chart, Item, Lane, fit, lay_out, text_width

WIDTHS = [(1160.0, 96.0), (350.0, 0.0)]
START = 1795457126.0


def random_lanes(chance: random.Random) -> list[Lane]:
    """Sections of a second beside some of half an hour, and bursts of moments."""
    lanes = []
    for number in range(chance.randint(1, 6)):
        items = []
        for _ in range(chance.randint(0, 9)):
            start = START + chance.choice([0, 1, 60, 7200]) * chance.random()
            length = chance.choice([0.0, 0.2, 1.0, 45.0, 1800.0, 90_000.0])
            label = chance.choice(
                ["x", "immediate: 0.6 s of 5:00, critical", "W" * 30, "ঢাকা দোকান বন্ধ", "店は閉まっています", "long " * 60]
            )
            limit = chance.choice([None, start + 300])
            end = None if chance.random() < 0.1 else start + length
            items.append(Item(start, end, label, "ok", limit))
        lanes.append(Lane(f"Lane {number}", tuple(items)))
    return lanes


def texts(chart: Chart) -> list[Box]:
    marks = [mark for lane in chart.lanes for mark in lane.marks]
    return [*(mark.text for mark in marks), *(lane.text for lane in chart.lanes), *(tick.text for tick in chart.ticks)]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize(("width", "gutter"), WIDTHS)
def test_no_two_texts_overlap_and_none_leaves_the_picture(seed: int, width: float, gutter: float) -> None:
    chart = lay_out(random_lanes(random.Random(seed)), width, gutter)
    if chart is None:
        return
    boxes = texts(chart)
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other), (one, other)
    for box in boxes:
        assert box.x >= 0 and box.x + box.width <= width + 0.01
        assert box.y >= 0 and box.y + box.height <= chart.height


@pytest.mark.parametrize("seed", range(20))
def test_no_label_lies_on_a_bar(seed: int) -> None:
    chart = lay_out(random_lanes(random.Random(seed)), *WIDTHS[0])
    for lane in chart.lanes if chart else ():
        for one, other in itertools.product(lane.marks, repeat=2):
            assert not one.text.overlaps(other.bar)


def test_a_section_of_a_second_beside_one_of_half_an_hour_can_still_be_seen() -> None:
    lane = Lane("Sections", (Item(START, START + 1, "immediate", "ok"), Item(START + 5, START + 1805, "slow", "ok")))
    chart = lay_out([lane], *WIDTHS[0])
    assert chart is not None
    short, long = chart.lanes[0].marks
    assert short.bar.width >= 4
    assert long.bar.width > 900


def test_what_has_no_room_is_counted() -> None:
    crowd = Lane("Changes", tuple(Item(START, START, f"step {number}", "change") for number in range(500)))
    chart = lay_out([crowd], *WIDTHS[0])
    assert chart is not None
    assert len(chart.lanes[0].marks) + chart.lanes[0].left_out == 500
    assert chart.height < 800


def test_the_part_beyond_a_budget_is_marked() -> None:
    lane = Lane("Sections", (Item(START, START + 600, "immediate", "critical", START + 300),))
    chart = lay_out([lane], *WIDTHS[0])
    assert chart is not None
    mark = chart.lanes[0].marks[0]
    assert mark.over is not None
    assert mark.over.width == pytest.approx(mark.bar.width / 2, rel=0.01)


def test_within_its_budget_nothing_is_marked() -> None:
    chart = lay_out([Lane("Sections", (Item(START, START + 60, "x", "ok", START + 300),))], *WIDTHS[0])
    assert chart is not None and chart.lanes[0].marks[0].over is None


def test_an_outage_that_lasts_reaches_the_right_edge() -> None:
    chart = lay_out(
        [Lane("Shop down", (Item(START, None, "down", "critical"), Item(START, START + 9, "x", "ok")))], *WIDTHS[0]
    )
    assert chart is not None
    bar = chart.lanes[0].marks[-1].bar
    assert bar.x + bar.width == pytest.approx(chart.plot.x + chart.plot.width)


def test_the_axis_has_round_times_in_utc() -> None:
    chart = lay_out([Lane("x", (Item(START, START + 20, "x", "ok"),))], *WIDTHS[0])
    assert chart is not None
    assert "18:05:30" in [tick.label for tick in chart.ticks]


def test_without_items_there_is_no_chart() -> None:
    assert lay_out([Lane("x", ())], *WIDTHS[0]) is None


def test_a_text_is_cut_to_its_room() -> None:
    assert fit("short", 500) == "short"
    cut = fit("a very long label indeed", 60)
    assert cut.endswith("…") and text_width(cut) <= 60
