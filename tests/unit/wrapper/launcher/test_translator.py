# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded events of ansible-runner become typed events: nothing lost that people need, nothing said twice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dhakacart_runbooks.catalogue import Section, Step
from dhakacart_runbooks.events import (
    Diagnosed,
    EnvironmentKnown,
    Event,
    FindingsRead,
    Said,
    SectionFinished,
    SectionStarted,
    StepFinished,
    StepStarted,
    Waiting,
)
from dhakacart_runbooks.finding import Status
from dhakacart_runbooks.launcher.translator import Translator

RECORDED = Path(__file__).parent / "recorded"
STEPS = (
    "Read the cause again",
    "Choose the branch that the evidence allows",
    "Get approval for it",
    "Do it",
    "Prove that it worked",
)
SECTIONS = (
    Section("immediate", True, (Step(1, "See which side of the database is alive"),)),
    Section("resolution", True, tuple(Step(number, title) for number, title in enumerate(STEPS, start=1))),
)


class Upper:
    """A redaction that is seen wherever it is applied."""

    def text(self, text: str) -> str:
        return text.replace("hunter2", "(secret)")

    def data(self, data: Any) -> Any:
        return json.loads(self.text(json.dumps(data)))


def translator(*, check: bool = False) -> Translator:
    return Translator(SECTIONS, Upper(), check=check)


def translated(rows: Iterable[dict[str, Any]], by: Translator) -> list[Event]:
    return [event for row in rows for event in by.feed(row)] + list(by.close())


def recorded(name: str) -> list[dict[str, Any]]:
    return [json.loads(row) for row in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def of(kind: type[Any], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def task(name: str, action: str = "x.y.z", **more: Any) -> dict[str, Any]:
    return {"event": "playbook_on_task_start", "event_data": {"task": name, "task_action": action, **more}}


def play(name: str) -> dict[str, Any]:
    return {"event": "playbook_on_play_start", "event_data": {"name": name}}


def result(kind: str, name: str, action: str = "x.y.z", **res: Any) -> dict[str, Any]:
    return {"event": kind, "event_data": {"task": name, "task_action": action, "host": "lab", "res": res}}


def test_a_section_is_announced_by_its_first_task_with_its_budget() -> None:
    events = translated(recorded("resolution-failover"), translator())
    assert [(e.section, e.budget_seconds) for e in of(SectionStarted, events)] == [("resolution", 2700)]
    assert isinstance(events[0], EnvironmentKnown)
    assert (events[0].environment, events[0].name) == ("lab", "dhakacart-lab us-west-2")
    assert events[0].record.startswith("incidents/")


def test_steps_have_the_numbers_of_the_page_and_tasks_of_roles_have_none() -> None:
    started = of(StepStarted, translated(recorded("resolution-failover"), translator()))
    assert [(e.number, e.title) for e in started if e.number] == list(enumerate(STEPS, start=1))
    inner = [e.title for e in started if e.number is None]
    assert "Reboot the instance with failover" in inner
    assert not [title for title in inner if title.startswith("Validating arguments")]


def test_a_step_that_includes_a_role_ends_after_the_tasks_of_the_role() -> None:
    ended = of(StepFinished, translated(recorded("resolution-failover"), translator()))
    titles = [e.title for e in ended]
    assert titles.index("Reboot the instance with failover") < titles.index("Do it")
    whole = ended[titles.index("Do it")]
    assert (whole.number, whole.outcome) == (4, "changed")
    assert whole.seconds > 5
    assert titles.count("Do it") == 1
    assert titles[-1] == "Prove that it worked"
    assert {e.title for e in ended} == {
        e.title for e in of(StepStarted, translated(recorded("resolution-failover"), translator()))
    }


def test_what_other_events_carry_is_not_said_again() -> None:
    events = translated(recorded("resolution-failover"), translator())
    (said,) = of(Said, events)
    assert said.text.startswith("Branch: failover, Fail over to the standby. Undo: a later failover back")
    assert of(Diagnosed, events)[0].diagnosis["likely"]["id"] == "primary_down"
    closed = of(SectionFinished, events)
    assert [(e.section, e.budget_seconds, e.recovered) for e in closed] == [("resolution", 2700, None)]
    assert closed[0].next.endswith("--tags verification")


def test_the_last_reading_of_a_host_replaces_the_earlier_ones() -> None:
    by = translator()
    readings = of(FindingsRead, translated(recorded("resolution-failover"), by))
    assert len(readings) == 3
    assert any(f.status is Status.CRITICAL for f in readings[0].findings)
    assert by.facts.findings == {"lab": readings[-1].findings}
    assert by.facts.likely == {"lab": ""}


def test_a_refusal_of_the_preflight_keeps_its_reason_and_its_one_line() -> None:
    by = translator()
    events = translated(recorded("mistyped-section"), by)
    (failed,) = of(StepFinished, events)
    assert failed.outcome == "failed"
    assert failed.message.startswith("--tags: unknown section 'imediate'; remedy: did you mean immediate?")
    assert (by.facts.refused, by.facts.refusal) == ("usage", failed.message)
    assert not of(Said, events)
    assert not of(SectionStarted, events)


def test_a_host_that_is_not_there_is_kept_for_the_outcome_which_says_it_with_the_remedy() -> None:
    by = translator()
    events = translated(recorded("unknown-host"), by)
    assert of(Said, events) == []
    assert by.facts.errors == ["Could not match supplied host pattern, ignoring: nowhere"]


def test_any_other_error_of_ansible_itself_is_said_and_kept() -> None:
    by = translator()
    (said,) = of(Said, translated([{"event": "verbose", "stdout": "[ERROR]: no such plugin", "event_data": {}}], by))
    assert said.text == "[ERROR]: no such plugin"
    assert by.facts.errors == ["no such plugin"]


def test_a_change_in_check_mode_would_be_one() -> None:
    rows = [play("X | Resolution"), task("Do it"), result("runner_on_ok", "Do it", changed=True, undo="put it back")]
    (ended,) = of(StepFinished, translated(rows, translator(check=True)))
    assert (ended.outcome, ended.undo) == ("would_change", "put it back")


def test_an_ignored_failure_is_no_failure() -> None:
    failed = result("runner_on_failed", "Do it", msg="no")
    failed["event_data"]["ignore_errors"] = True
    (ended,) = of(StepFinished, translated([play("X | Resolution"), task("Do it"), failed], translator()))
    assert (ended.outcome, ended.message) == ("ok", "ignored: no")


def test_a_loop_fails_with_the_reason_of_its_item() -> None:
    item = {"failed": True, "msg": "taken", "item": "b", "_ansible_item_label": "b"}
    rows = [task("Do it"), result("runner_on_failed", "Do it", msg="One or more items failed", results=[{}, item])]
    (ended,) = of(StepFinished, translated([play("X | Resolution"), *rows], translator()))
    assert ended.message == "taken (item=b)"


def test_a_command_fails_with_the_last_line_of_its_standard_error() -> None:
    rows = [task("Do it"), result("runner_on_failed", "Do it", msg="non-zero return code", stderr="a\nno such file\n")]
    (ended,) = of(StepFinished, translated([play("X | Resolution"), *rows], translator()))
    assert ended.message == "non-zero return code: no such file"


def test_a_wait_in_vain_says_what_it_saw_last() -> None:
    seen = {"id": "postgresql.primary", "component": "primary", "status": "critical", "summary": "nothing listens"}
    rows = [task("Wait"), result("runner_on_failed", "Wait", attempts=9, retries=9, findings=[seen])]
    (ended,) = of(StepFinished, translated([play("X | Resolution"), *rows], translator()))
    assert ended.message == "not so after 9 looks; last seen: postgresql.primary is critical: nothing listens"


def test_a_retry_is_a_wait() -> None:
    rows = [task("Wait"), result("runner_retry", "Wait", attempts=2, retries=30)]
    (waiting,) = of(Waiting, translated([play("X | Resolution"), *rows], translator()))
    assert (waiting.title, waiting.attempt, waiting.of) == ("Wait", 2, 30)


def test_a_message_that_is_meant_to_be_read_is_said_line_by_line() -> None:
    rows = [task("Tell"), result("runner_on_ok", "Tell", "ansible.builtin.debug", msg=["one", "two hunter2"])]
    said = of(Said, translated([play("X | Resolution"), *rows], translator()))
    assert [e.text for e in said] == ["one", "two (secret)"]


def test_a_verdict_that_fails_still_closes_its_section() -> None:
    row = {
        "section": "verification",
        "elapsed_seconds": 2,
        "budget_seconds": 300,
        "likely_cause": "x",
        "next": "hunter2",
    }
    res = {"msg": "not recovered", "ansible_stats": {"data": {"dhakacart_sections": [row]}}}
    rows = [task("Close"), result("runner_on_failed", "Close", "dhakacart.runbooks.next_step", **res)]
    events = translated([play("X | Resolution"), *rows], translator())
    (closed,) = of(SectionFinished, events)
    assert (closed.recovered, closed.likely_cause, closed.next) == (False, "x", "(secret)")
    assert of(StepFinished, events)[0].outcome == "failed"


def test_secrets_are_taken_out_of_findings_and_failures() -> None:
    finding = {"id": "a.b", "component": "c", "status": "ok", "summary": "hunter2", "evidence": {"x": "hunter2"}}
    rows = [
        task("Read"),
        result("runner_on_ok", "Read", "dhakacart.runbooks.platform_facts", findings=[finding]),
        task("Do it"),
        result("runner_on_failed", "Do it", msg="hunter2 is wrong"),
    ]
    events = translated([play("X | Resolution"), *rows], translator())
    assert "hunter2" not in json.dumps([e.to_json() for e in events])


def test_the_step_that_was_interrupted_is_known() -> None:
    by = translator()
    translated([play("X | Resolution"), task("Do it", "ansible.builtin.include_role")], by)
    assert by.current_step == "Do it"
    list(by.feed(result("runner_on_ok", "Do it", "ansible.builtin.include_role")))
    assert by.current_step == "Do it"
    list(by.feed(task("Reboot", role="database_recovery")))
    assert by.current_step == "Reboot"
    list(by.feed(result("runner_on_ok", "Reboot")))
    assert by.current_step == "Do it"


def test_a_step_that_was_interrupted_in_the_middle_of_a_role_has_no_outcome() -> None:
    by = translator()
    rows = [
        play("X | Resolution"),
        task("Do it", "ansible.builtin.include_role"),
        result("runner_on_ok", "Do it", "ansible.builtin.include_role"),
        task("Reboot", role="database_recovery"),
        result("runner_on_ok", "Reboot", changed=True),
        task("Wait", role="database_recovery"),
    ]
    events = [event for row in rows for event in by.feed(row)] + list(by.close(whole=False))
    assert [e.title for e in of(StepFinished, events)] == ["Reboot"]
    assert by.current_step == "Wait"


def test_events_of_no_known_kind_mean_nothing() -> None:
    by = translator()
    assert translated([{"event": "EOF"}, {"event": "runner_on_start", "event_data": None}, {}], by) == []
