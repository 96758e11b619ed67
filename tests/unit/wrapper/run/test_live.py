# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads while a run goes on."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.cli.live import RunView
from dhakacart_runbooks.cli.moving import MovingLine
from dhakacart_runbooks.events import (
    Diagnosed,
    EnvironmentKnown,
    Event,
    FindingsRead,
    RunStarted,
    Said,
    SectionFinished,
    SectionStarted,
    StepFinished,
    StepStarted,
    Waiting,
)
from dhakacart_runbooks.finding import Finding, Status
from rich.console import Console

Show = Callable[..., str]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture
def show(catalogue: Catalogue) -> Show:
    """``show(*events, width=None)``: what is printed; a width makes it a terminal without colour."""

    def apply(*events: Event, width: int | None = None, every: bool = False, color: bool = False) -> str:
        file = io.StringIO()
        console = Console(
            file=file,
            force_terminal=width is not None,
            width=width or 200,
            color_system="standard" if color else None,
            highlight=False,
            soft_wrap=True,
        )
        if not isinstance(events[0], RunStarted):
            events = (known(), *events)
        view = RunView(console, catalogue, MovingLine(Console(file=io.StringIO())), every=every)
        for event in events:
            view.show(event)
        view.end()
        return file.getvalue()

    return apply


def started(*sections: str, check: bool = False) -> RunStarted:
    return RunStarted(run_id="r", runbook="database-failure", sections=sections, inventory="lab", check=check)


def known(name: str = "dhakacart-lab us-west-2") -> EnvironmentKnown:
    return EnvironmentKnown(environment="lab", name=name, record="", budgets={})


def begins(number: int | None, title: str, section: str = "immediate") -> StepStarted:
    return StepStarted(section=section, number=number, title=title)


def ends(number: int | None, title: str, outcome: str = "ok", seconds: float = 0.4, **more: Any) -> StepFinished:
    return StepFinished(section="immediate", number=number, title=title, outcome=outcome, seconds=seconds, **more)


def finding(name: str, status: str, summary: str = "", component: str = "", **evidence: Any) -> Finding:
    return Finding(name, component or name, Status(status), summary or f"{name} is {status}", evidence)


def read(*findings: Finding, section: str = "immediate") -> FindingsRead:
    return FindingsRead(section=section, findings=findings)


def test_the_header_says_what_runs_where(show: Show) -> None:
    printed = show(started("immediate"), known())
    assert printed == "database-failure / immediate        dhakacart-lab us-west-2\n"
    assert "bare run, reads only" in show(started(), known())
    assert "(--check: changes nothing)" in show(started("resolution", check=True), known())
    assert "west-2 (lab)" in show(started(), known("prefix us-west-2"))


def test_a_step_has_its_number_outcome_time_and_undo_and_what_it_tells_follows(show: Show) -> None:
    rows = show(
        begins(1, "Hold the size"),
        Said(text="  held at 3 to 3   undo: kubectl patch"),
        ends(1, "Hold the size", "changed", 0.25, undo="kubectl patch"),
    ).splitlines()
    assert rows[0].split() == ["1", "Hold", "the", "size", "changed", "0.2", "s"]
    assert rows[1:] == ["    undo    kubectl patch", "  held at 3 to 3"]


def test_each_line_of_what_a_step_said_is_translated_by_itself(show: Show) -> None:
    said = [Said(text=f"then: ansible-playbook playbooks/database-failure.yml --tags {tag}") for tag in ("a", "b")]
    rows = show(begins(1, "x"), *said, ends(1, "x")).splitlines()
    assert rows[1:] == [f"then: runbook run database-failure -s {tag}" for tag in ("a", "b")]


def test_a_step_that_only_would_be_undone_shows_no_undo(show: Show) -> None:
    assert "undo" not in show(begins(2, "Choose"), ends(2, "Choose", "ok", undo="fail back"))


def test_a_failed_step_says_why_once(show: Show) -> None:
    printed = show(begins(1, "Do it"), ends(1, "Do it", "failed", message="no route"))
    assert "FAILED" in printed
    assert printed.count("no route") == 1


def test_what_the_preflight_refuses_is_left_to_the_end(show: Show) -> None:
    assert show(started(), begins(None, "Check"), ends(None, "Check", "failed", message="is not set")) == ""


def test_tasks_inside_a_step_stand_below_its_title_and_quiet_ones_are_left_out(show: Show) -> None:
    rows = show(
        begins(4, "Do it"),
        begins(None, "Look"),
        ends(None, "Look"),
        begins(None, "Promote"),
        ends(None, "Promote", "changed", 3.0),
        ends(4, "Do it", "changed", 3.2),
    ).splitlines()
    assert rows[0] == "4 Do it"
    assert rows[1].split() == ["-", "Promote", "changed", "3.0", "s"]
    assert len(rows) == 2


def test_what_is_wrong_comes_first_with_its_evidence_and_what_is_well_in_one_line(show: Show) -> None:
    rows = show(
        read(
            finding("a", "ok"),
            finding("b", "critical", "no answer in 3 s"),
            finding("c", "ok"),
            finding("d", "unknown", "not judged"),
            finding("e", "unknown", "not judged"),
        )
    ).splitlines()
    assert rows == [
        "  critical  b     no answer in 3 s",
        "  unknown   d +1  not judged",
        "  ok        a, c",
    ]


def test_where_something_is_critical_warnings_share_a_line_unless_all_are_wanted(show: Show) -> None:
    event = read(finding("a", "critical"), finding("b", "warning", "slow"), finding("c", "warning", "late"))
    assert "  warning   b, c" in show(event)
    assert "slow" in show(event, every=True)
    assert "late" in show(event, every=True)
    assert "slow" in show(read(finding("b", "warning", "slow")))


def test_a_later_reading_shows_only_what_became_different(show: Show) -> None:
    before = read(finding("a", "critical"), finding("b", "critical"), finding("c", "ok"))
    after = read(finding("a", "ok"), finding("b", "critical"), finding("c", "ok"))
    rows = show(before, after, after).splitlines()
    assert rows[-2:] == ["  ok again  a", "  findings as before"]
    assert len([row for row in rows if "b is critical" in row]) == 1


def test_alike_answers_over_http_share_a_row_and_nothing_else_does(show: Show) -> None:
    shop = [finding(name, "critical", f"/{name}: 503", "shop", kind="http_status", http_status=503) for name in "abc"]
    database = [finding(name, "critical", name, "primary") for name in ("connections", "locks")]
    printed = show(read(*shop, *database))
    assert "/a: 503 (and 2 alike)" in printed
    assert "connections" in printed
    assert "locks" in printed


LIKELY = {"id": "primary_down", "title": "The primary is down", "rests_on": ["postgresql.primary: refused"]}


def test_the_cause_is_named_with_what_it_rests_on_and_only_when_it_is_another(show: Show) -> None:
    event = Diagnosed(section="immediate", diagnosis={"likely": LIKELY, "also": [], "possible": []})
    rows = show(event, event).splitlines()
    assert rows == ["Likely cause: The primary is down (primary_down)", "  because   postgresql.primary: refused"]


def test_what_a_finding_suggests_by_itself_stands_beside_the_claim_that_rests_on_it(show: Show) -> None:
    connections = Finding("x", "primary", Status.CRITICAL, "198 of 197", likely_cause="190 are reporting-job's")
    diagnosis = {"likely": {**LIKELY, "rests_on": ["x: 198 of 197"]}}
    printed = show(read(connections), Diagnosed(section="immediate", diagnosis=diagnosis))
    assert "  because   x: 198 of 197; 190 are reporting-job's\n" in printed


def test_symptoms_name_no_cause(show: Show) -> None:
    assert show(Diagnosed(section="symptoms", diagnosis={"likely": LIKELY, "also": [], "possible": []})) == ""


def test_what_could_not_be_ruled_out_says_why(show: Show) -> None:
    possible = [{"id": "x", "title": "The disk is full", "unread": ["rds.storage"]}]
    printed = show(Diagnosed(section="immediate", diagnosis={"likely": None, "also": [], "possible": possible}))
    assert "none that the evidence confirms" in printed
    assert "The disk is full: rds.storage could not be read" in printed


def test_sections_are_headed_where_there_are_several_and_closed_with_their_budget(show: Show) -> None:
    closed = SectionFinished(section="symptoms", elapsed_seconds=70, budget_seconds=60, likely_cause="", next="nothing")
    printed = show(started(), SectionStarted(section="symptoms", budget_seconds=60), closed)
    assert printed == "symptoms\nsymptoms took 1:10 of 1:00, over its budget: think of escalation\n"


def test_the_section_is_closed_after_its_last_step_though_a_task_of_the_step_closes_it(show: Show) -> None:
    closed = SectionFinished(
        section="resolution", elapsed_seconds=16, budget_seconds=2700, likely_cause="", next="nothing"
    )
    rows = show(
        begins(5, "Prove it"),
        begins(None, "Look"),
        read(finding("a", "ok")),
        ends(None, "Look"),
        begins(None, "Close"),
        closed,
        ends(None, "Close"),
        ends(5, "Prove it"),
    ).splitlines()
    assert rows == ["5 Prove it", "  ok        a", "resolution took 0:16 of 45:00"]


def test_what_is_well_takes_one_line_of_a_terminal_and_is_whole_in_a_pipe(show: Show) -> None:
    event = read(*(finding(f"component {letter}", "ok") for letter in "abcdefghijkl"))
    (row,) = show(event, width=80).splitlines()
    assert len(row) <= 80
    assert row.endswith(" +7")
    assert show(event).endswith("component k, component l\n")
    assert "component l" in show(event, width=80, every=True)


def test_a_comparison_sums_up_what_is_well_again_and_keeps_what_is_not(show: Show) -> None:
    again = [f"  finding.{i}    critical -> ok  fine" for i in range(9)]
    said = [Said(text=text) for text in ("Compared:", "  other  ok -> warning  hm", *again)]
    rows = show(begins(3, "Compare"), *said, ends(3, "Compare")).splitlines()
    assert rows[1:] == [
        "Compared:",
        "  other  ok -> warning  hm",
        "  ok again: 9 findings, finding.0, finding.1, finding.2, ...",
    ]


def test_in_a_pipe_a_long_wait_gives_a_sign_of_life_now_and_then(show: Show) -> None:
    waits = [Waiting(title="Wait for it", attempt=attempt, of=30) for attempt in range(1, 12)]
    assert show(*waits).splitlines() == [f"    Wait for it: not yet (look {attempt} of 30)" for attempt in (1, 6, 11)]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_of_prose_is_wider_than_the_terminal(show: Show, width: int) -> None:
    long = "the primary answers nobody and the standby has heard nothing from it for quite some time " * 2
    printed = show(
        read(finding("a", "critical", long, "backend service")),
        Diagnosed(section="immediate", diagnosis={"likely": {**LIKELY, "rests_on": [long]}}),
        width=width,
    )
    wide = [row for row in printed.splitlines() if len(row) > width and not row.startswith("Likely")]
    assert wide == [] or width < 60


def test_a_command_to_be_pasted_is_never_broken(show: Show) -> None:
    command = 'kubectl -n dhakacart patch hpa dhakacart-backend-hpa --type merge -p \'{"spec": {"maxReplicas": 50}}\''
    printed = show(begins(1, "Hold"), ends(1, "Hold", "changed", undo=command), width=40)
    assert command in printed


def test_colour_says_nothing_that_the_words_do_not_say(show: Show) -> None:
    import re

    events = (started("immediate"), known(), read(finding("a", "critical")), begins(1, "x"), ends(1, "x", "failed"))
    coloured = show(*events, width=80, color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == show(*events, width=80)


def test_a_moving_line_stays_short_and_says_when_the_budget_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    import dhakacart_runbooks.cli.moving as moving

    now = [0.0]
    monkeypatch.setattr(moving.time, "monotonic", lambda: now[0])
    line = MovingLine(Console(file=io.StringIO(), force_terminal=True, width=200))
    line.section("immediate", 300)
    line.say("a title that is far too long for any terminal " * 5)
    now[0] = 12.0
    assert line._render().plain.startswith("> 0:12 of 5:00  a title")
    assert len(line._render().plain) <= 72
    now[0] = 301.0
    assert line._render().plain.startswith("> 5:01 of 5:00 OVER")


def test_a_pipe_gets_no_moving_line(capsys: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    with MovingLine(Console(file=file)) as line:
        line.say("reading")
    assert file.getvalue() == ""
