# SPDX-License-Identifier: GPL-3.0-or-later
"""The page answers the first questions first, needs nothing but itself, and runs nothing that a record says."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.report.html import render
from dhakacart_runbooks.report.model import Record
from dhakacart_runbooks.report.page import render_page
from dhakacart_runbooks.report.view import MOST_FINDINGS

Files = dict[str, Any]
RecordOf = Callable[[Files], Record]
MADE = 1795460000.0
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`|]]>\n</style></title></svg>{{ 7 * 7 }}\x1b[31m\u202e\x00"
)
VOID = {"meta", "link", "br", "rect", "line", "circle", "wbr", "img"}


class Page(HTMLParser):
    """Tags with their attributes, and whether every tag was closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def hostile(value: Any) -> Any:
    """The same data with every text made hostile that nothing else hangs on."""
    if isinstance(value, dict):
        kept = ("event", "section", "status", "run_id", "outcome", "id", "kind")
        return {key: item if key in kept else hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


def first_screen(page: str) -> str:
    return page[page.index("<header>") : page.index("</header>")]


def test_the_first_screen_says_what_broke_since_when_why_what_was_changed_and_what_comes_next(
    files: Files, record_of: RecordOf
) -> None:
    text = re.sub(r"\s+", " ", "".join(Page(first_screen(render(record_of(files), MADE))).texts))
    assert "Over" in text and "Verified as recovered at 2026-11-23 18:05:40 UTC" in text
    assert "What was broken" in text and "no server listens: connection refused" in text
    assert "First evidence: 2026-11-23 18:05:26 UTC" in text
    assert "The primary is down and the standby is alive primary_down" in text
    assert "kubectl -n dhakacart patch hpa" in text and "a later failover back" in text
    assert "ansible-playbook playbooks/database-failure.yml --tags prevention" in text


def test_while_it_lasts_the_first_screen_says_so(files: Files, record_of: RecordOf) -> None:
    for name in ("sections/03-resolution.json", "sections/04-verification.json"):
        del files[name]
    files["timeline.jsonl"] = files["timeline.jsonl"][:4]
    page = first_screen(render(record_of(files), MADE))
    assert "Not over" in page and "What is broken" in page


def test_the_page_needs_nothing_but_itself(files: Files, record_of: RecordOf) -> None:
    page = Page(render(record_of(files), MADE))
    addresses = [value for _tag, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    assert addresses and all(value and value.startswith(("#", "data:,")) for value in addresses)
    assert "@import" not in render(record_of(files), MADE) and "url(http" not in render(record_of(files), MADE)


def test_nothing_that_a_record_says_becomes_markup(files: Files, record_of: RecordOf) -> None:
    clean, dirty = (Page(render(record_of(data), MADE)) for data in (files, hostile(files)))
    assert len(dirty.all("script")) == len(clean.all("script")) == 1
    assert dirty.all("img") == []
    assert not any(key.startswith("on") for _tag, attributes in dirty.tags for key in attributes)
    assert dirty.open == []
    text = "".join(dirty.texts)
    assert "<script>alert(1)</script>" in text and "{{ 7 * 7 }}" in text
    assert not re.search("[\x00\x1b\u202e]", text)


def test_only_the_script_of_the_page_may_run(files: Files, record_of: RecordOf) -> None:
    policy = next(tag["content"] for tag in Page(render(record_of(files), MADE)).all("meta") if "http-equiv" in tag)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/]+='", policy)


def test_a_reader_who_cannot_see_the_picture_is_told_what_it_shows(files: Files, record_of: RecordOf) -> None:
    rendered = render(record_of(files), MADE)
    page = Page(rendered)
    for svg in page.all("svg"):
        assert svg["role"] == "img"
        assert svg.get("aria-label") or svg.get("aria-labelledby")
    description = re.search(r"<desc[^>]*>(.*?)</desc>", rendered)
    assert description and "Reboot the instance with failover" in description[1] and "recovered" in description[1]


def test_headings_are_nested_and_tables_have_headers(files: Files, record_of: RecordOf) -> None:
    page = Page(render(record_of(files), MADE))
    levels = [int(tag[1]) for tag, _attributes in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert all(header.get("scope") in ("col", "row") for header in page.all("th"))
    ids = [attributes["id"] for _tag, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert all(link["href"] in {f"#{name}" for name in ids} for link in page.all("a"))


def test_a_status_is_a_word_and_not_only_a_colour(files: Files, record_of: RecordOf) -> None:
    page = render(record_of(files), MADE)
    for tone, words in re.findall(r'<span class="badge (\w+)">([^<]*)</span>', page):
        assert words.strip(), tone


def test_ten_thousand_findings_are_cut_with_a_word_about_the_rest(files: Files, record_of: RecordOf) -> None:
    one = files["opening.json"]["findings"][0]
    many = [{**one, "id": f"http.path{number}"} for number in range(10_000)]
    files["opening.json"]["findings"] = many
    files["sections/04-verification.json"]["findings"] = many
    page = render(record_of(files), MADE)
    assert f"… and {10_000 - MOST_FINDINGS + 1:,} more, see sections/" in page
    assert len(page) < 1_000_000


def test_ten_megabytes_of_evidence_are_cut_with_the_place_of_the_rest(files: Files, record_of: RecordOf) -> None:
    files["opening.json"]["facts"]["postgresql"] = {"log": "x" * 10_000_000, "lines": ["line of a log"] * 100_000}
    started = time.monotonic()
    page = render(record_of(files), MADE)
    assert "more characters in opening.json" in page
    assert len(page) < 300_000
    assert time.monotonic() - started < 20


def test_a_long_story_keeps_its_beginning_and_its_end(files: Files, record_of: RecordOf) -> None:
    lines = files["timeline.jsonl"]
    files["timeline.jsonl"] = [*lines[:-1], *({**lines[1], "title": f"step {n}"} for n in range(3_000)), lines[-1]]
    page = render(record_of(files), MADE)
    assert "lines are left out here; see timeline.jsonl" in page
    assert "items had no room in the picture" in page
    assert len(page) < 600_000


def test_an_outage_and_figures_that_a_drill_measured_are_shown(files: Files, record_of: RecordOf) -> None:
    files["figures.json"] = {
        "measured_by": "the shopper's log",
        "outages": [{"began": 1795457118.2, "ended": 1795457136.6}],
        "figures": [{"name": "RTO", "value": 18.4, "unit": "s", "target": 300, "met": True}],
    }
    page = render(record_of(files), MADE)
    assert "no order for 18 s" in page
    assert "18.4 s" in page and "300 s" in page and ">met<" in page


def test_over_its_budget_is_said_in_words(files: Files, record_of: RecordOf) -> None:
    files["sections/01-immediate.json"]["elapsed_seconds"] = 400
    page = render(record_of(files), MADE)
    assert "over budget" in page


def test_a_damaged_record_says_in_the_first_screen_that_it_is(files: Files, record_of: RecordOf) -> None:
    files["opening.json"] = "{"
    assert "1 part of the record could not be read" in first_screen(render(record_of(files), MADE)).replace("\n", " ")


def test_the_page_of_others_has_the_same_frame_and_the_same_escaping(tmp_path: Path) -> None:
    body = tmp_path / "scorecard.html.j2"
    body.write_text('{% import "parts.html.j2" as parts %}<main id="main">{{ parts.badge("ok") }}{{ text }}</main>')
    page = render_page("Scorecard <1>", body, text=HOSTILE)
    assert "<title>Scorecard &lt;1&gt;</title>" in page
    assert "prefers-color-scheme: dark" in page
    assert len(Page(page).all("script")) == 1


def test_a_name_that_a_template_misses_is_an_error_and_not_a_blank(tmp_path: Path) -> None:
    body = tmp_path / "x.j2"
    body.write_text("{{ nothing }}")
    with pytest.raises(Exception, match="nothing"):
        render_page("x", body)
