# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook drill`` as a person types it, where no lab is needed: answers, one-line errors, exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from dhakacart_runbooks.cli.app import main
from dhakacart_runbooks.drill import journal

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def runbook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Runs ``runbook drill …``; its exit code, output and errors."""
    monkeypatch.setenv("DHAKACART_LAB_HOME", str(tmp_path / "labs"))
    monkeypatch.setenv("DHAKACART_LAB", "nowhere")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(ROOT)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["runbook", "drill", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_the_drills_are_listed_for_people_and_machines(runbook) -> None:
    code, out, _ = runbook("list")
    assert code == 0
    assert "database-primary-killed" in out
    code, out, _ = runbook("list", "--json")
    assert len(json.loads(out)) == 16


def test_all_drills_of_the_collection_are_sound(runbook) -> None:
    assert runbook("check")[:2] == (0, "16 drills are sound\n")


def test_every_malformed_file_is_one_line_and_the_code_is_usage(runbook, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("name: a\n")
    (tmp_path / "b.yml").write_text("[")
    code, _, err = runbook("check", str(tmp_path / "a.yml"), str(tmp_path / "b.yml"))
    assert code == 1
    lines = err.strip().splitlines()
    assert len(lines) == 2
    assert all(line.startswith("runbook drill check: ") and "; remedy: " in line for line in lines)


def test_the_schema_is_a_json_schema(runbook) -> None:
    code, out, _ = runbook("schema")
    assert code == 0
    assert json.loads(out)["required"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run",), 1, "choose what is held"),
        (("run", "--all", "--blind"), 1, "choose what is held"),
        (("run", "database-primary-killed", "--seed", "3"), 1, "chooses only in a blind drill"),
        (("run", "--all", "--resume"), 1, "add --results FILE"),
        (("run", "database-primary-kiled"), 1, "did you mean database-primary-killed?"),
        (("database-primary-kiled",), 1, "did you mean database-primary-killed?"),
        (("run", "database-primary-killed", "--repeat", "0"), 1, "--repeat"),
        (("run", "database-primary-killed"), 4, "runbook lab up"),
        (("run", "--blind"), 4, "runbook lab up"),
        (("answer", "primary_down"), 4, "runbook lab up"),
        (("heal",), 4, "runbook lab up"),
        (("trend", "database-primary-kiled"), 1, "did you mean database-primary-killed?"),
    ],
)
def test_what_makes_no_sense_is_one_line_with_the_right_code(
    runbook, arguments: tuple[str, ...], code: int, words: str
) -> None:
    found, _, err = runbook(*arguments)
    assert found == code, err
    assert words in err
    assert len(err.strip().splitlines()) == 1, err


def test_a_drill_that_was_never_held_has_no_trend_and_no_journal(runbook) -> None:
    assert runbook("trend", "database-primary-killed")[:2] == (0, "no drill database-primary-killed was held yet\n")
    assert runbook("list", "--journal")[:2] == (0, "no drill was held yet\n")


def test_a_controller_that_died_is_shown_as_interrupted(runbook) -> None:
    entry = journal.begin("database-primary-killed", "lab", "lab")
    entry.process = (2**22 + 1, 1.0)
    journal.write(entry)
    code, out, _ = runbook("list", "--journal")
    assert code == 0
    assert "interrupted" in out
    assert "its controller died" in out


def test_the_causes_that_may_be_answered_are_listed_with_what_they_look_like(runbook) -> None:
    code, out, _ = runbook("answer")
    assert code == 0
    assert "primary_down" in out
    assert len(out.strip().splitlines()) == 16


def test_drills_that_cannot_be_found_are_one_line(runbook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DHAKACART_DRILLS", str(tmp_path / "nowhere"))
    code, _, err = runbook("list")
    assert code == 4
    assert "set DHAKACART_DRILLS" in err
