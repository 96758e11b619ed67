# SPDX-License-Identifier: GPL-3.0-or-later
"""Scorecards as files."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.drill import rehearsal
from dhakacart_runbooks.drill.engine import Drill
from dhakacart_runbooks.drill.export import render_html, write_html, write_junit
from dhakacart_runbooks.errors import InfrastructureError

from .doubles import GOOD, Answer, PaperTarget, ScriptedLauncher, scenario


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """One that passed, one that failed, one that proved nothing."""
    monkeypatch.setattr(rehearsal, "LAST_ORDER_SECONDS", 0.0)
    lying = ScriptedLauncher({**GOOD, "verification": (Answer(recovered=True),)})
    title = "<script>alert('title')</script>"
    return [
        Drill.of(scenario(), PaperTarget(tmp_path), ScriptedLauncher()).run().to_json(),
        Drill.of(scenario(title=title), PaperTarget(tmp_path), lying).run().to_json(),
        Drill.of(scenario(), PaperTarget(tmp_path, left=["x was left behind"]), ScriptedLauncher()).run().to_json(),
    ]


class Page(HTMLParser):
    """Counts tags and collects what a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_junit_tells_a_failure_from_a_drill_that_proved_nothing(results: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "deep" / "drills.xml"
    write_junit(path, results)
    suite = ElementTree.parse(path).getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    failure = suite.find(".//failure")
    assert failure is not None
    assert "said recovered while it was broken" in str(failure.get("message"))
    assert len(suite.findall(".//system-out")) == 3


def test_the_page_needs_nothing_but_itself_and_shows_every_drill(results: list[dict[str, Any]]) -> None:
    page = Page(render_html(results))
    assert page.text.count("nothing left") == 3
    assert "1 of 3 passed" in page.text
    assert "x was left behind" in page.text
    assert page.tags.count("script") == 1, "the title was not escaped"
    outside = [value for name, value in page.attributes if name in ("src", "href") and value and value[0] not in "#d"]
    assert outside == []


def test_a_file_that_cannot_be_written_is_one_line(results: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for write in (write_html, write_junit):
        with pytest.raises(InfrastructureError, match="cannot be written"):
            write(tmp_path / "file" / "x", results)
