# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook history``, ``show-run`` and ``prune-history`` as people and programs meet them."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from dhakacart_runbooks.cli import history as commands
from dhakacart_runbooks.cli import history_view
from dhakacart_runbooks.history import History, RunRow, SectionRow
from rich.console import Console
from typer.testing import CliRunner

Make = Callable[..., RunRow]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runbook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command line; answers its exit code, standard output and standard error."""
    app = typer.Typer()
    commands.add(app)

    def run(*words: str, width: int = 200) -> tuple[int, str, str]:
        texts = io.StringIO(), io.StringIO()
        consoles = [Console(file=text, width=width, highlight=False, soft_wrap=True) for text in texts]
        monkeypatch.setattr(commands, "out", consoles[0])
        monkeypatch.setattr(commands, "err", consoles[1])
        monkeypatch.setattr("dhakacart_runbooks.cli.console.err", consoles[1])
        result = CliRunner().invoke(app, list(words))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, texts[0].getvalue() + result.stdout, texts[1].getvalue() + result.stderr

    yield run


@pytest.fixture
def filled(history: History, make_run: Make) -> History:
    now = time.time()
    history.record(
        make_run(
            "aaaa1111-x",
            started=now - 60,
            finished=now - 27,
            status="failed",
            sections=("immediate", "investigation"),
            environment="production",
            user="rahim",
            likely_cause="database.primary_down",
            approve_reason="INC-7",
            message="the primary does not answer",
            findings_critical=2,
            findings_ok=20,
            exit_code=2,
            rc=2,
            record="/nowhere/record",
            next="make sure that [it] works",
        ),
        [
            SectionRow(run_id="aaaa1111-x", section="immediate", position=0, elapsed=75.0, budget=60.0),
            SectionRow(run_id="aaaa1111-x", section="investigation", position=1, elapsed=5.0, budget=60.0),
        ],
    )
    history.record(make_run("aaaa2222-y", started=now - 9000, runbook="high-traffic"))
    return history


def test_an_empty_history_is_one_friendly_line(runbook: Run) -> None:
    assert runbook("history") == (0, "No run yet. A first one that changes nothing: runbook triage\n", "")
    assert runbook("history", "--json")[1].strip() == "[]"


@pytest.mark.parametrize("width", [200, 80])
def test_the_table_says_when_who_what_where_how_it_ended_and_why(runbook: Run, filled: History, width: int) -> None:
    code, said, _ = runbook("history", width=width)
    assert code == 0
    for word in ("failed", "rahim", "production", "33 s", "database.primary_down", "aaaa1111", "immediate"):
        assert word in said, word
    assert said.index("aaaa1111") < said.index("aaaa2222"), "the newest first"
    assert all(len(line.rstrip()) <= width for line in said.splitlines())


def test_ids_are_shown_as_long_as_needed_to_tell_them_apart(runbook: Run, history: History, make_run: Make) -> None:
    history.record(make_run("20261123-180000-aa"))
    history.record(make_run("20261123-180000-bb"))
    said = runbook("history")[1]
    assert "20261123-180000-a" in said and "20261123-180000-b" in said


def test_the_list_is_filtered_and_says_when_there_is_more(runbook: Run, filled: History) -> None:
    assert "aaaa1111" not in runbook("history", "--runbook", "high-traffic")[1]
    assert "No run matches" in runbook("history", "--env", "mars")[1]
    assert "No run matches" in runbook("history", "--since", "1s")[1]
    assert "--limit shows more" in runbook("history", "--limit", "1")[1]
    assert "--limit" not in runbook("history")[1]


def test_machines_get_every_field(runbook: Run, filled: History) -> None:
    first, second = json.loads(runbook("history", "--json")[1])
    assert (first["id"], second["id"]) == ("aaaa1111-x", "aaaa2222-y")
    assert first["findings"] == {"critical": 2, "warning": 0, "unknown": 0, "ok": 20}
    assert first["seconds"] == pytest.approx(33)
    assert first["sections"] == ["immediate", "investigation"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--status", "great"), "no run ends as 'great'"),
        (("--since", "yesterday"), "--since: 'yesterday' is neither"),
    ],
)
def test_senseless_filters_are_usage_errors(runbook: Run, words: tuple[str, ...], said: str) -> None:
    code, _, error = runbook("history", *words)
    assert code == 1
    assert said in error


def test_a_run_is_shown_with_everything_that_is_known(runbook: Run, filled: History) -> None:
    code, said, _ = runbook("show-run", "last")
    assert code == 0
    for text in (
        "database-failure / immediate, investigation",
        "aaaa1111-x",
        "production",
        "by rahim on",
        "33 s",
        '"INC-7"',
        "failed (exit code 2, ansible-playbook 2)",
        "the primary does not answer",
        "1:15 min of 1:00 min  OVER its budget",
        "5.0 s of 1:00 min\n",
        "2 critical, 20 ok",
        "database.primary_down",
        "make sure that [it] works",
        "/nowhere/record",
    ):
        assert text in said, text


def test_a_beginning_that_several_runs_share_lists_them(runbook: Run, filled: History) -> None:
    code, _, error = runbook("show-run", "aaaa")
    assert code == 1
    assert "aaaa1111" in error and "aaaa2222" in error
    assert "2 runs begin so; remedy: type more of the id" in error


def test_a_run_that_does_not_exist_is_a_usage_error(runbook: Run, filled: History) -> None:
    code, said, error = runbook("show-run", "zzz")
    assert (code, said) == (1, "")
    assert "zzz: no run of the history has this id" in error
    assert runbook("show-run", "last", "--events")[0] == 4


def test_stored_events_are_a_timeline_even_when_the_last_line_is_half(
    runbook: Run, history: History, make_run: Make, tmp_path: Path
) -> None:
    run = make_run("r1", record=str(tmp_path))
    history.record(run)
    begun = run.started
    finding = {"id": "p", "component": "primary", "status": "critical", "summary": "no answer"}
    events = [
        {"event": "run_started", "time": begun, "inventory": "lab"},
        {"event": "section_started", "time": begun + 1, "section": "immediate"},
        {"event": "step_started", "time": begun + 1, "title": "Read every system", "number": 1},
        {"event": "findings_read", "time": begun + 2, "findings": [finding]},
        {"event": "diagnosed", "time": begun + 2, "diagnosis": {"likely": {"id": "database.primary_down"}}},
        {"event": "step_finished", "time": begun + 62.5, "title": "Fail over", "number": 3, "outcome": "failed"}
        | {"message": "refused", "undo": "fail back"},
        {"event": "unheard_of", "time": begun + 63},
        {"event": "section_finished", "time": begun + 64, "section": "immediate"}
        | {"elapsed_seconds": 63.0, "budget_seconds": 60.0},
        {"event": "run_finished", "time": begun + 65, "outcome": {"status": "failed"}},
    ]
    (tmp_path / "runs").mkdir()
    lines = "\n".join(json.dumps(event) for event in events) + '\n{"event": "run_fin'
    (tmp_path / "runs" / "r1.events.jsonl").write_text(lines)
    code, said, _ = runbook("show-run", "r1", "--events")
    assert code == 0
    assert [line.strip() for line in said.splitlines() if line.startswith("  +")] == [
        "+0:00.0  started on inventory lab",
        "+0:01.0  section immediate",
        "+0:02.0  1 findings, 1 not ok: critical primary: no answer",
        "+0:02.0  likely cause: database.primary_down",
        "+1:02.5  3 Fail over: failed; refused; undo: fail back",
        "+1:04.0  section immediate done: 1:03 min of 1:00 min",
        "+1:05.0  ended: failed",
    ]
    assert len(json.loads(runbook("show-run", "r1", "--events", "--json")[1])["events"]) == 9


def test_pruning_asks_first_and_without_a_terminal_wants_to_be_told(runbook: Run, filled: History) -> None:
    code, _, error = runbook("prune-history", "--older-than", "1h", "--keep", "0")
    assert code == 1
    assert "1 run older than 1h will be removed, and nobody is here to agree; remedy: --yes" in error
    assert len(filled.runs()) == 2


def test_pruning_says_what_it_removed_and_leaves_records_where_they_are(
    runbook: Run, history: History, make_run: Make, tmp_path: Path
) -> None:
    (tmp_path / "timeline.jsonl").write_text("")
    old = time.time() - 9000
    history.record(make_run("a", started=old, record=str(tmp_path)))
    code, said, _ = runbook("prune-history", "--older-than", "1h", "--keep", "0", "--yes")
    assert (code, said) == (0, "Removed 1 run.\nTheir incident records (1) stay where they are.\n")
    assert (tmp_path / "timeline.jsonl").exists()
    assert "Nothing to remove" in runbook("prune-history", "--older-than", "1h", "--yes")[1]


def test_pruning_removes_records_when_asked(runbook: Run, history: History, make_run: Make, tmp_path: Path) -> None:
    folder = tmp_path / "incident"
    folder.mkdir()
    (folder / "timeline.jsonl").write_text("")
    history.record(make_run("a", started=time.time() - 9000, record=str(folder)))
    code, said, _ = runbook("prune-history", "--older-than", "1h", "--keep", "0", "--yes", "--with-records")
    assert code == 0
    assert "Incident records removed: 1." in said
    assert not folder.exists()


def test_a_broken_history_is_one_line_and_an_infrastructure_error(runbook: Run, home: Path) -> None:
    home.mkdir()
    (home / "history.db").write_bytes(b"no database at all " * 100)
    for words in (("history",), ("show-run", "last"), ("prune-history", "--yes")):
        code, said, error = runbook(*words)
        assert (code, said) == (4, "")
        assert len(error.splitlines()) == 1
        assert f"runbook {words[0]}: history {home / 'history.db'}: file is not a database" in error


def test_every_status_of_a_run_has_a_look(history: History) -> None:
    assert set(history_view.ENDS) == set(commands.STATUSES)
