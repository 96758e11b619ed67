# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook list``."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
import typer
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.cli import list_
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.search import AlertNames
from rich.console import Console
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[4]
app = typer.Typer(callback=lambda: None)
list_.add(app)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["list", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def shown(width: int) -> str:
    catalogue = Catalogue.load(Collection.find(ROOT))
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, highlight=False)
    chosen = list(catalogue.runbooks.values())
    list_.show(console, chosen, AlertNames(catalogue), len(chosen))
    return re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue())


def test_every_runbook_stands_under_its_category_with_severity_and_state() -> None:
    code, text, _ = run()
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert code == 0
    [failure] = [at for at, line in enumerate(lines) if line.startswith("P0 database-failure ready DhakaCart")]
    assert lines.index("EMERGENCY") < failure < lines.index("TROUBLESHOOTING")
    assert sum(line.startswith(("P0 ", "P1 ", "P2 ", "P3 ")) for line in lines) == 22


def test_into_a_pipe_goes_a_line_for_each_runbook_so_that_an_alert_can_be_grepped() -> None:
    found = [line.split()[1] for line in run()[1].splitlines() if "DhakaCartPodNotReady" in line]
    assert found == ["database-failure", "application-issues"]


@pytest.mark.usefixtures("unwritten")
def test_it_says_what_is_not_written_and_ends_with_what_to_type_next() -> None:
    code, text, _ = run()
    assert code == 0
    assert "P0 fire-alarm not yet DhakaCartSmokeHigh" in [" ".join(line.split()) for line in text.splitlines()]
    assert text.rstrip().splitlines()[-3:] == [
        "3 runbooks, 1 ready to run; the others are not written yet.",
        'Next: runbook search "<symptom, error text or alert>"',
        "      runbook show water-damage",
    ]


@pytest.mark.usefixtures("unwritten")
def test_one_category_can_be_chosen() -> None:
    code, text, _ = run("--category", "operations")
    assert code == 0
    assert "lost-keys" in text and "fire-alarm" not in text
    assert "2 of 3 runbooks, 1 ready" in text


def test_an_unknown_category_is_one_line_that_names_the_known_ones() -> None:
    code, text, error = run("--category", "emergencies")
    assert (code, text) == (1, "")
    assert len(error.splitlines()) == 1
    assert "'emergencies'" in error and "emergency, troubleshooting" in error


def test_json_has_every_runbook_with_what_is_known_of_it() -> None:
    code, text, _ = run("--json")
    content = json.loads(text)
    assert code == 0 and len(content) == 22
    [failure] = [runbook for runbook in content if runbook["slug"] == "database-failure"]
    assert failure["written"] and failure["severity"] == "P0" and failure["sections"][0] == "symptoms"
    assert {"DhakaCartDatabaseConnectionHigh", "DatabaseConnectionHigh"} <= set(failure["alerts"])


@pytest.mark.usefixtures("unwritten")
def test_json_of_what_is_not_written_has_no_page_and_no_sections() -> None:
    fire = json.loads(run("--json")[1])[0]
    assert (fire["slug"], fire["written"], fire["page"], fire["sections"]) == ("fire-alarm", False, None, [])


@pytest.mark.parametrize("width", [50, 80, 140])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_cut(width: int) -> None:
    text = shown(width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    if width >= 80:  # a narrower one breaks a long name
        assert "DhakaCartHighCartAbandonmentRate" in text


def test_a_wide_terminal_also_says_when_to_open_which() -> None:
    assert "Open it when" in shown(140)
    assert "Open it when" not in shown(80)


def test_a_second_name_of_an_alert_is_left_out() -> None:
    lines = shown(80).split()
    assert "DhakaCartDatabaseConnectionHigh" in lines
    assert "DatabaseConnectionHigh" not in lines


def test_the_category_is_completed_and_a_missing_collection_completes_to_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list_._categories("m") == ["monitoring", "maintenance"]
    monkeypatch.setenv("DHAKACART_COLLECTION", "/nowhere")
    assert list_._categories("m") == []
    assert capsys.readouterr() == ("", "")


def test_in_a_narrow_terminal_no_name_stands_in_pieces() -> None:
    rows = shown(40).splitlines()

    assert any(re.search(r"P0\s+database-failure\s+ready", row) for row in rows)
    assert not any("Alerts" in row for row in rows)
