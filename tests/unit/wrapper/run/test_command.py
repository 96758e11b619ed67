# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook run``: what is asked of the launcher, what is printed where, and the exit code."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
import typer
from dhakacart_runbooks.cli import run
from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.events import EnvironmentKnown, Said, SectionFinished, StepStarted
from dhakacart_runbooks.outcome import RunStatus
from typer.testing import CliRunner, Result

from tests.unit.wrapper.run.scripted import Handle, ScriptedLauncher

Type = Callable[..., Result]


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """``type_(launcher, "run", "database-failure", ...)``: what a person would see."""

    def apply(launcher: ScriptedLauncher, *words: str) -> Result:
        monkeypatch.setattr(run, "make_launcher", lambda _catalogue, _observers: launcher)
        monkeypatch.setattr(run, "make_observers", lambda *, history: [])
        app = typer.Typer()
        app.callback()(lambda: None)
        run.add(app)
        return CliRunner().invoke(app, list(words), env={"NO_COLOR": "1"})

    return apply


def closed(section: str, following: str, cause: str = "") -> SectionFinished:
    return SectionFinished(
        section=section, elapsed_seconds=1, budget_seconds=60, likely_cause=cause, next=following, recovered=None
    )


def test_every_option_reaches_the_request(type_: Type) -> None:
    launcher = ScriptedLauncher()
    words = "run database-failure -s investigation -s resolution -i production -i lab --target dr --branch failover"
    result = type_(
        launcher, *words.split(), "-e", "dhakacart_read_timeout=5", "--check", "--approve", "INC-7", "--timeout", "10m"
    )
    assert result.exit_code == 0, result.output
    request = launcher.requests[0]
    assert (request.runbook, request.sections) == ("database-failure", ("investigation", "resolution"))
    assert (request.inventory, request.overlays) == ("production", ("lab",))
    assert (request.target, request.branch, request.check) == ("dr", "failover", True)
    assert (request.approve, request.timeout) == ("INC-7", 600)
    assert request.variables == {"dhakacart_read_timeout": "5"}


def test_a_bare_run_asks_for_no_section(type_: Type) -> None:
    launcher = ScriptedLauncher()
    type_(launcher, "run", "database-failure")
    assert launcher.requests[0].sections == ()
    assert launcher.requests[0].inventory is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RunStatus.HEALTHY, 0),
        (RunStatus.REFUSED, 1),
        (RunStatus.UNHEALTHY, 2),
        (RunStatus.FAILED, 2),
        (RunStatus.CANCELLED, 3),
        (RunStatus.TIMEOUT, 3),
        (RunStatus.BROKEN, 4),
    ],
)
def test_the_exit_code_is_the_outcomes(type_: Type, status: RunStatus, code: int) -> None:
    for more in ([], ["--json"]):
        result = type_(ScriptedLauncher(status=status, message="why"), "run", "database-failure", *more)
        assert result.exit_code == code


def test_json_is_one_event_a_line_and_nothing_else_on_standard_output(type_: Type) -> None:
    result = type_(ScriptedLauncher([Said(text="hello")]), "run", "database-failure", "--json")
    events = [json.loads(line)["event"] for line in result.stdout.splitlines()]
    assert events == ["run_started", "said", "run_finished"]


def test_the_end_says_verdict_time_record_and_the_next_command(type_: Type, tmp_path: Any) -> None:
    following = "ansible-playbook playbooks/database-failure.yml --tags investigation"
    launcher = ScriptedLauncher(
        [closed("immediate", following, "primary_down")],
        status=RunStatus.UNHEALTHY,
        message="1 critical",
        record=str(tmp_path),
        next=following,
    )
    rows = type_(launcher, "run", "database-failure", "-s", "immediate").stdout.splitlines()
    assert rows[-3:] == [
        "Not healthy: 1 critical.  took 0:04",
        f"Record: {tmp_path}",
        "Next: runbook run database-failure -s investigation",
    ]


def test_prevention_does_not_come_before_the_end_of_the_incident(type_: Type) -> None:
    resolve = "ansible-playbook playbooks/database-failure.yml --tags resolution"
    script = [closed("investigation", resolve, "primary_down"), closed("prevention", "read the page")]
    result = type_(ScriptedLauncher(script, next="read the page"), "run", "database-failure")
    assert result.stdout.splitlines()[-1] == "Next: runbook run database-failure -s resolution"
    healthy = [closed("investigation", "nothing: no cause was found"), closed("prevention", "read the page")]
    result = type_(ScriptedLauncher(healthy, next="read the page"), "run", "database-failure")
    assert result.stdout.splitlines()[-1] == "Next: read the page"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_run_and_says_what_to_look_at(type_: Type, number: signal.Signals) -> None:
    def interrupt(handle: Handle) -> None:
        os.kill(os.getpid(), number)
        assert handle.cancelled.wait(5), "the signal did not cancel"

    before = signal.getsignal(number)
    launcher = ScriptedLauncher(
        [StepStarted(section="resolution", number=4, title="Do it"), interrupt, Said(text="never said")],
        interrupted_step="Do it",
    )
    result = type_(launcher, "run", "database-failure", "-s", "resolution")
    assert result.exit_code == 3
    assert 'Interrupted in step "Do it"; what that step began may go on at the other end.' in result.stdout
    assert result.stdout.splitlines()[-1] == "Next: runbook run database-failure -s verification"
    assert "never said" not in result.stdout
    assert launcher.handles[0].left
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(("changed", "section"), [(True, "verification"), (False, "investigation")])
def test_after_a_failure_one_looks_whether_it_is_well_only_where_something_was_changed(
    type_: Type, changed: bool, section: str
) -> None:
    launcher = ScriptedLauncher(status=RunStatus.FAILED, message="refused", changed=changed)
    result = type_(launcher, "run", "database-failure", "-s", "resolution")
    assert result.stdout.splitlines()[-1] == f"Next: runbook run database-failure -s {section}"


def test_a_reading_that_was_interrupted_is_simply_read_again(type_: Type) -> None:
    launcher = ScriptedLauncher(status=RunStatus.TIMEOUT)
    result = type_(launcher, "run", "database-failure", "-s", "symptoms", "-i", "production", "--target", "dr")
    assert "Ended at its time limit." in result.stdout
    assert (
        result.stdout.splitlines()[-1]
        == "Next: runbook run database-failure -s investigation -i production --target dr"
    )


def test_a_failure_that_a_step_has_told_is_not_told_again(type_: Type) -> None:
    result = type_(ScriptedLauncher(status=RunStatus.FAILED, message="Do it: no route"), "run", "database-failure")
    assert "Failed: Do it: no route" in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["databse-failure"], 1, ["unknown runbook 'databse-failure'", "did you mean database-failure?"]),
        (["network-issues"], 1, ["not written yet"]),
        (["database-failure", "-s", "imediate"], 1, ["unknown section 'imediate'", "did you mean immediate?"]),
        (["database-failure", "-i", "prodction"], 1, ["unknown inventory 'prodction'", "did you mean production?"]),
        (["database-failure", "-e", "nonsense"], 1, ["-e", "is not key=value", "remedy: -e key=value"]),
        (["database-failure", "-e", "dhakacart_db_hots=x"], 1, ["dhakacart_db_hots", "did you mean"]),
        (["database-failure", "--timeout", "soon"], 1, ["--timeout", "'soon' is no duration"]),
        (["database-failure", "-s", "resolution", "--approve", " "], 1, ["--approve", "needs a reason"]),
        (["database-failure", "-s", "resolution", "-i", "production"], 1, ["not approved", '--approve "why"']),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_started(
    type_: Type, words: list[str], code: int, said: list[str]
) -> None:
    launcher = ScriptedLauncher()
    result = type_(launcher, "run", *words)
    assert (result.exit_code, launcher.requests, result.stdout) == (code, [], "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("runbook run: ")
    for part in said:
        assert part in result.stderr


def test_a_launcher_that_cannot_start_is_one_line(type_: Type) -> None:
    broken = ScriptedLauncher(error=InfrastructureError("no ansible-core", where="ansible", remedy="make setup"))
    result = type_(broken, "run", "database-failure")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == "runbook run: ansible: no ansible-core; remedy: make setup\n"


def test_no_collection_is_one_line(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAKACART_COLLECTION", "/nowhere")
    result = type_(ScriptedLauncher(), "run", "database-failure")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1
    assert "DHAKACART_COLLECTION" in result.stderr


def test_what_the_preflight_refuses_is_one_line_on_standard_error(type_: Type) -> None:
    launcher = ScriptedLauncher(status=RunStatus.REFUSED, message="dhakacart_incident: no such incident; remedy: x")
    result = type_(launcher, "run", "database-failure", "--incident", "nothing")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "runbook run: dhakacart_incident: no such incident; remedy: x\n"


def test_a_history_that_cannot_be_kept_is_said_and_changes_no_exit_code(type_: Type) -> None:
    script = [
        EnvironmentKnown(environment="lab", name="lab", record="", budgets={}),
        Said(text="history: cannot be written; remedy: x"),
    ]
    result = type_(ScriptedLauncher(script), "run", "database-failure")
    assert result.exit_code == 0
    assert "history: cannot be written" in result.stdout


def test_the_record_is_always_observed_and_the_history_unless_it_is_refused() -> None:
    assert [type(observer).__name__ for observer in run.make_observers(history=True)] == [
        "RecordObserver",
        "HistoryObserver",
    ]
    assert [type(observer).__name__ for observer in run.make_observers(history=False)] == ["RecordObserver"]
