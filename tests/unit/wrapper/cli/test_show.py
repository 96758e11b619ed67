# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook show``."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from pathlib import Path

import pytest
import typer
from dhakacart_runbooks.catalogue import Catalogue, Runbook
from dhakacart_runbooks.cli import page_view, show
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.pages import Page
from rich.console import Console
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[4]
app = typer.Typer(callback=lambda: None)
show.add(app)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["show", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def failure() -> Runbook:
    return Catalogue.load(Collection.find(ROOT)).get("database-failure")


@pytest.fixture
def page(failure: Runbook) -> Page:
    assert failure.text
    return failure.text


def rendered(runbook: Runbook, page: Page, section: str | None, width: int = 80, *, colour: bool = False) -> str:
    """As a terminal of that width shows it."""
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, no_color=not colour, highlight=False)
    chosen = show.choose_section(runbook, page, section) if section else None
    with console.use_theme(page_view.THEME):
        console.print(page_view.page_view(runbook, page, chosen, ["SomeAlert"]), crop=False)
    return text.getvalue() if colour else re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue())


def test_into_a_pipe_goes_the_markdown_as_it_is(page: Page) -> None:
    code, text, _ = run("database-failure")
    assert (code, text.rstrip()) == (0, page.text.rstrip())


def test_one_section_alone_by_its_tag_or_the_beginning_of_it(page: Page) -> None:
    whole, short = run("database-failure", "investigation"), run("database-failure", "inv")
    assert whole == short
    assert whole[1].startswith("## Investigation (5-15 minutes)")
    assert "## Resolution" not in whole[1]


@pytest.mark.parametrize("section", ["nope", "immediately"])
def test_an_unknown_section_is_one_line_that_names_the_known_ones(section: str) -> None:
    code, text, error = run("database-failure", section)
    assert (code, text) == (1, "")
    assert len(error.splitlines()) == 1 and "symptoms, immediate, investigation" in error


def test_a_beginning_that_fits_two_sections_is_refused(failure: Runbook, page: Page) -> None:
    with pytest.raises(UsageError, match="ambiguous"):
        show.choose_section(failure, page, "re")  # resolution and related


def test_an_unknown_runbook_is_one_line_with_a_suggestion() -> None:
    code, _, error = run("database-failur")
    assert code == 1
    assert "did you mean database-failure?" in error


@pytest.mark.usefixtures("unwritten")
def test_a_page_that_is_not_written_says_so_when_to_open_it_and_what_to_do_instead() -> None:
    code, text, _ = run("fire-alarm")
    assert code == 0
    assert "not written yet" in text
    assert "smoke, flames, the sprinkler" in text
    assert "DhakaCartSmokeHigh" in text
    assert "Next: runbook triage" in text
    assert "Read: runbook show water-damage" in text


@pytest.mark.usefixtures("unwritten")
def test_where_no_page_is_near_none_is_named() -> None:
    assert "Read:" not in run("lost-keys")[1]


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize("option", ["--raw", "--web"])
def test_what_is_not_written_has_no_markdown_and_no_web_page(option: str) -> None:
    code, text, error = run("fire-alarm", option)
    assert (code, text) == (1, "")
    assert "not written yet" in error


@pytest.mark.usefixtures("unwritten")
def test_json_of_what_is_not_written_has_no_text() -> None:
    assert json.loads(run("fire-alarm", "--json")[1])["text"] == []


def test_json_has_the_sections_with_their_steps_and_markdown() -> None:
    content = json.loads(run("database-failure", "immediate", "--json")[1])
    assert content["slug"] == "database-failure"
    [section] = content["text"]
    assert section["section"] == "immediate"
    assert section["steps"][1] == "Keep the evidence"
    assert section["markdown"].startswith("## Immediate Actions")


def test_two_forms_at_once_are_refused() -> None:
    code, _, error = run("database-failure", "--raw", "--json")
    assert code == 1 and "exclude each other" in error


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_terminal_shows_every_command_and_every_name_whole(failure: Runbook, page: Page, width: int) -> None:
    text = rendered(failure, page, None, width)
    commands = [line.strip() for line in page.text.splitlines() if line.startswith("    ")]
    assert len(commands) > 20
    for command in commands:
        assert command in text
    in_the_head = 1
    assert text.count("…") == page.text.partition("## ")[2].count("…") + in_the_head
    if width >= 80:  # a narrower one breaks a long name in a table
        assert "connections_exhausted" in text and "database_network_cut" in text


def test_the_head_of_a_page_has_owner_dates_alerts_and_the_sections_with_their_time(
    failure: Runbook, page: Page
) -> None:
    text = rendered(failure, page, None)
    assert "Database Failure  P0 emergency" in text
    assert re.search(r"Owner +Database team \(db-team@dhakacart.com\)", text)
    assert re.search(r"Alerts +SomeAlert", text)
    assert re.search(r"immediate +< 5 minutes +5 +-s immediate  only when asked for", text)
    assert re.search(r"investigation +5-15 minutes +3 +-s investigation  reads only", text)


def test_a_section_ends_with_the_command_that_runs_it_and_prose_without_one_does_not(
    failure: Runbook, page: Page
) -> None:
    assert rendered(failure, page, "immediate").rstrip().endswith("Next: runbook run database-failure -s immediate")
    assert "Next:" not in rendered(failure, page, "overview")


def test_what_is_good_bad_and_by_hand_stand_on_lines_of_their_own(failure: Runbook, page: Page) -> None:
    lines = rendered(failure, page, "symptoms").splitlines()
    assert any(line.startswith("Good: everything ok.") for line in lines)
    assert any(line.startswith("By hand: curl") for line in lines)


def test_no_colour_means_no_colour(failure: Runbook, page: Page) -> None:
    plain, coloured = rendered(failure, page, "symptoms"), rendered(failure, page, "symptoms", colour=True)
    assert "\x1b[36m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_review_that_is_overdue_says_so() -> None:
    assert page_view._review(date(2020, 1, 1)) == "2020-01-01, overdue: trust it less"
    assert page_view._review(date(2999, 1, 1)) == "2999-01-01"
    assert page_view._review(None) == ""


def test_the_web_page_is_one_file_that_needs_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(tmp_path))
    code, text, _ = run("database-failure", "--web")
    assert code == 0
    content = Path(text.strip()).read_text(encoding="utf-8")
    assert "<h2>Symptoms</h2>" in content and "<table>" in content
    assert not re.search(r"<(script|link|img)\b|@import|url\(", content)


def test_markup_in_a_page_stays_text_in_the_browser() -> None:
    hostile = Page("A <b>", {}, (), "# A\n<script>alert(1)</script>\n")
    assert "<script>" not in page_view.to_html(hostile)
    assert "A &lt;b&gt;" in page_view.to_html(hostile)


def test_a_state_folder_that_cannot_be_written_is_one_line_and_exit_code_4(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(blocked))
    code, text, error = run("database-failure", "--web")
    assert (code, text) == (4, "")
    assert len(error.splitlines()) == 1 and "DHAKACART_STATE_HOME" in error


def test_every_runbook_is_completed_and_a_missing_collection_completes_to_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show._complete_any("data") == [
        ("database-failure", "Database Failure"),
        ("data-loss-recovery", "Data Loss Recovery"),
        ("database-issues", "Database Issues"),
    ]
    monkeypatch.setenv("DHAKACART_COLLECTION", "/nowhere")
    assert show._complete_any("data") == []
    assert capsys.readouterr() == ("", "")


def test_a_pager_that_is_not_installed_hides_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MANPAGER", raising=False)
    for pager, there in (("/nonexistent/pager -R", False), ("less 'it", False), ("cat", True), ("", True)):
        monkeypatch.setenv("PAGER", pager)
        assert show._has_pager() is there
