# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record says is text in Markdown, too; the post-mortem marks what nobody knows."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from dhakacart_runbooks.report.markdown import block, cell, code, inline, render, render_postmortem
from dhakacart_runbooks.report.model import Record
from dhakacart_runbooks.report.text import one_line
from markdown_it import MarkdownIt
from markdown_it.token import Token

Files = dict[str, Any]
RecordOf = Callable[[Files], Record]
MADE = 1795460000.0
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = [
    "<script>alert(1)</script>",
    "a | b || c",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "```\ncode\n```",
    "`tick` and ``ticks``",
    "*bold* _under_ __x__ snake_case_name",
    "[link](http://x.example) ![i](x)",
    "&amp; &#60; <b>",
    "line\none\n\n---\ntwo",
    "===",
    "\\ \\| \\`",
    "~~gone~~",
    "a\tb",
    "    indented",
]


def plain(markdown: str) -> str:
    """What a reader sees of inline Markdown; it must be a single paragraph."""
    tokens = PARSER.parse(markdown)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"], tokens
    children = tokens[1].children or []
    assert all(child.type in ("text", "text_special", "code_inline") for child in children), children
    return "".join(child.content for child in children)


@pytest.mark.parametrize("text", NASTY)
def test_a_text_is_read_as_it_was_written(text: str) -> None:
    assert plain(inline(text)) == one_line(text)


def test_random_texts_are_read_as_they_were_written() -> None:
    chance = random.Random(7)
    for _ in range(2_000):
        text = "".join(chance.choice("ab 1.)-+=#>|`*_~[]()<>!&\\\n:{}$\"'") for _ in range(chance.randint(1, 30)))
        if wanted := one_line(text):
            assert plain(inline(text)) == wanted, repr(text)


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip()])
def test_a_command_is_read_as_it_was_written(text: str) -> None:
    assert plain(code(text)) == one_line(text)


@pytest.mark.parametrize("text", NASTY)
def test_a_block_ends_where_it_should(text: str) -> None:
    tokens = PARSER.parse(f"{block(text)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == text.strip("\n") + "\n"


@pytest.mark.parametrize("text", NASTY)
def test_a_row_of_a_table_keeps_its_cells(text: str) -> None:
    tokens = PARSER.parse(f"| a | b |\n|---|---|\n| {inline(text)} | {cell(text)} |\n")
    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2
    for one in cells:
        assert "".join(child.content for child in one.children or []) == one_line(text)


def hostile(value: Any) -> Any:
    if isinstance(value, dict):
        kept = ("event", "section", "status", "run_id", "outcome", "id", "kind")
        return {key: item if key in kept else hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return f"{value} <script>|\n# x\n```\n- y" if isinstance(value, str) and value else value


def structure(markdown: str) -> list[tuple[str, str]]:
    """Headings and tables, and how many cells each row has."""

    def walk(tokens: list[Token]) -> list[tuple[str, str]]:
        return [(token.type, token.tag) for token in tokens if token.type in ("heading_open", "tr_open", "td_open")]

    tokens = PARSER.parse(markdown)
    assert not [token for token in tokens if token.type == "html_block"]
    assert not [child for token in tokens for child in token.children or [] if child.type == "html_inline"]
    return walk(tokens)


@pytest.mark.parametrize("renderer", [render, render_postmortem])
def test_a_hostile_record_has_the_headings_and_tables_of_a_harmless_one(
    renderer: Callable[[Record, float], str], files: Files, record_of: RecordOf
) -> None:
    harmless, dirty = (structure(renderer(record_of(data), MADE)) for data in (files, hostile(files)))
    assert dirty == harmless


def test_the_report_has_what_the_page_has(files: Files, record_of: RecordOf) -> None:
    text = render(record_of(files), MADE)
    assert text.startswith("# Database failure in lab: over\n")
    assert "ansible-playbook playbooks/database-failure.yml --tags prevention" in text
    assert "Undo: `kubectl -n dhakacart patch hpa" in text
    assert "| shop `http.ready` | **critical** /ready: 503" in text
    assert "Reason: primary refuses connections; agreed with the incident lead" in text
    assert "Everything in the record could be read." in text


def test_the_postmortem_marks_what_the_record_does_not_know(files: Files, record_of: RecordOf) -> None:
    text = render_postmortem(record_of(files), MADE)
    assert re.search(r"When it began and ended for customers: \*\*TODO\*\*", text)
    assert "RTO and RPO were not measured in this record: **TODO**" in text
    assert "What made that happen (the cause behind the cause): **TODO**" in text
    assert "Prevention was not run" in text
    assert "postgresql.primary: no server listens" in text


def test_the_postmortem_has_the_figures_that_a_drill_measured(files: Files, record_of: RecordOf) -> None:
    files["figures.json"] = {
        "measured_by": "the shopper's log",
        "outages": [{"began": 1795457118.2, "ended": 1795457136.6}],
        "figures": [{"name": "RTO", "value": 18.4, "unit": "s", "target": 300, "met": True}],
    }
    text = render_postmortem(record_of(files), MADE)
    assert "Customers could not order from 2026-11-23 18:05:18 UTC to 2026-11-23 18:05:36 UTC: 18 s" in text
    assert "RTO: 18.4 s (target 300 s, met)" in text
    assert "were not measured" not in text


def test_the_follow_ups_are_the_gaps_that_prevention_found(files: Files, record_of: RecordOf) -> None:
    prevention = dict(files["sections/04-verification.json"], section="prevention", run_id="p", recovered=None)
    prevention["controls"] = [
        {"title": "Protection against deletion", "present": False, "change": "aws rds modify-db-instance"},
        {"title": "Multi-AZ", "present": None, "change": ""},
        {"title": "Backups", "present": True, "change": ""},
    ]
    files["sections/05-prevention.json"] = prevention
    text = render_postmortem(record_of(files), MADE)
    follow_ups = text[text.index("## Follow-ups") :]
    assert "- [ ] Protection against deletion: `aws rds modify-db-instance` (owner **TODO**" in follow_ups
    assert "- [ ] Multi-AZ: could not be read" in follow_ups
    assert "Backups" not in follow_ups
    assert "Still warning at the last reading: backend, cannot read its metrics" in follow_ups
