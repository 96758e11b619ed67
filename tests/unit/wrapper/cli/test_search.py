# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook search``."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
import typer
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.cli import search
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.search import Search
from rich.console import Console
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[4]
app = typer.Typer(callback=lambda: None)
search.add(app)


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["search", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_hit_says_how_severe_it_is_why_it_was_found_and_what_is_safe_to_type() -> None:
    code, text, _ = run("sorry, too many clients already")
    assert code == 0
    assert text.splitlines()[0] == "P0  database-failure  emergency"
    assert text.splitlines()[1].strip() == "matched  too many clients (too many connections)"
    assert "Next: runbook run database-failure -s symptoms" in text
    assert "Read: runbook show database-failure" in text


def test_words_need_no_quotes() -> None:
    assert run("too", "many", "clients") == run("too many clients")


@pytest.mark.usefixtures("unwritten")
def test_a_runbook_that_is_not_written_says_so_and_triage_is_next() -> None:
    code, text, _ = run("smoke and flames")
    assert code == 0
    assert text.splitlines()[0] == "P0  fire-alarm  emergency, not written yet"
    assert "smoke, flames, the sprinkler sounds in the basement" in text
    assert "Next: runbook triage 'smoke and flames'" in text


@pytest.mark.usefixtures("unwritten")
def test_an_alert_is_handed_on_by_its_name_and_a_long_text_by_what_it_was_found_as() -> None:
    _, text, _ = run("[FIRING:1] SmokeHigh (basement critical)")
    assert "Next: runbook triage --alert DhakaCartSmokeHigh" in text
    _, text, _ = run("2026-11-23 03:04:11 smoke, flames and the sprinkler in this house, and that is a long text")
    assert "Next: runbook triage 'fire alarm'" in text


@pytest.mark.usefixtures("unwritten")
def test_a_pasted_text_is_handed_on_safely_quoted() -> None:
    _, text, _ = run("smoke; rm -rf / flames")
    assert "Next: runbook triage 'smoke; rm -rf / flames'" in text


def test_standard_input_is_searched_on_request() -> None:
    code, text, _ = run("-", stdin="2026-11-23 03:04:11 UTC [18934] FATAL:  sorry, too many clients already\n")
    assert code == 0
    assert text.startswith("P0  database-failure")


def test_nothing_found_is_one_line_and_exit_code_1() -> None:
    code, text, error = run("penguins")
    assert (code, text) == (1, "")
    assert error == "runbook search: nothing found; remedy: other words, or runbook list\n"


@pytest.mark.parametrize("arguments", [(), ("",), ("  ",), ("-",)])
def test_an_empty_search_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    code, text, error = run(*arguments)
    assert (code, text) == (1, "")
    assert len(error.splitlines()) == 1 and "nothing to search for" in error


def test_the_limit_is_kept() -> None:
    assert len(json.loads(run("database slow", "--json", "--limit", "1")[1])) == 1
    assert len(json.loads(run("database slow", "--json", "--limit", "3")[1])) > 1


def test_json_has_the_reasons_and_is_an_empty_list_where_nothing_is_found() -> None:
    code, text, _ = run("DhakaCartPodNotReady", "--json")
    first = json.loads(text)[0]
    assert code == 0
    assert (first["slug"], first["severity"]) == ("application-issues", "P1")
    assert first["why"] == ["alert DhakaCartPodNotReady"]
    code, text, error = run("penguins", "--json")
    assert (code, json.loads(text), error) == (1, [], "")


@pytest.mark.parametrize("width", [80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, no_color=True, highlight=False)
    query = "database slow logs pods restart certificate 500 dns"
    search.show(console, query, Search(Catalogue.load(Collection.find(ROOT))).find(query, limit=5))
    assert max(len(line.rstrip()) for line in re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue()).splitlines()) <= width


def test_no_collection_is_one_line_and_exit_code_4(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DHAKACART_COLLECTION", str(tmp_path))
    code, text, error = run("anything")
    assert (code, text) == (4, "")
    assert len(error.splitlines()) == 1
