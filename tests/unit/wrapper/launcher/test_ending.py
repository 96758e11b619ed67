# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a run: never green by accident, and always one line that says why not."""

from __future__ import annotations

import pytest
from dhakacart_runbooks.errors import ExitCode
from dhakacart_runbooks.events import EnvironmentKnown, SectionFinished, StepFinished
from dhakacart_runbooks.finding import Finding, Status
from dhakacart_runbooks.launcher.ending import Account, outcome
from dhakacart_runbooks.launcher.plan import Ended, Job
from dhakacart_runbooks.launcher.redacting import redactor
from dhakacart_runbooks.launcher.translator import Facts
from dhakacart_runbooks.outcome import RunOutcome, RunStatus
from dhakacart_runbooks.request import RunRequest


def finding(status: str, **evidence: str) -> Finding:
    return Finding("a.b", "primary", Status(status), "nothing listens", evidence)


def passed(*findings: Finding, likely: str = "") -> Facts:
    return Facts(preflight="passed", findings={"lab": findings}, likely={"lab": likely})


def closed(section: str, likely: str = "") -> Account:
    account = Account()
    account.note(EnvironmentKnown(environment="lab", name="lab", record="incidents/x", budgets={}))
    account.note(
        SectionFinished(section=section, elapsed_seconds=1, budget_seconds=60, likely_cause=likely, next="go on")
    )
    return account


def judged(facts: Facts, ended: Ended, account: Account | None = None, step: str = "") -> RunOutcome:
    job = Job("id", RunRequest("x"), 10.0, (), redactor(()), ())
    return outcome(job, 12.5, account or closed("immediate"), facts, ended, step)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (passed(), RunStatus.HEALTHY),
        (passed(finding("ok"), finding("warning")), RunStatus.HEALTHY),
        (passed(finding("critical")), RunStatus.UNHEALTHY),
        (passed(finding("unknown")), RunStatus.UNHEALTHY),
        (passed(finding("unknown", kind="not_configured")), RunStatus.HEALTHY),
        (passed(finding("warning"), likely="primary_down"), RunStatus.UNHEALTHY),
    ],
)
def test_a_run_that_ended_well_is_as_healthy_as_what_it_read(facts: Facts, status: RunStatus) -> None:
    found = judged(facts, Ended(0))
    assert found.status is status
    assert bool(found.message) == (status is not RunStatus.HEALTHY)


def test_one_of_two_hosts_that_is_not_well_is_enough() -> None:
    facts = Facts(preflight="passed", findings={"a": (finding("critical"),), "b": (finding("ok"),)})
    found = judged(facts, Ended(0))
    assert (found.status, found.message) == (RunStatus.UNHEALTHY, "critical: primary: nothing listens")


def test_after_a_change_the_cause_that_was_named_before_it_does_not_count() -> None:
    facts = passed(finding("ok"), likely="primary_down")
    assert judged(facts, Ended(0), closed("resolution")).status is RunStatus.HEALTHY
    assert judged(facts, Ended(0), closed("immediate")).status is RunStatus.UNHEALTHY


def test_a_run_in_which_nothing_ran_is_not_green() -> None:
    found = judged(Facts(), Ended(0), Account())
    assert (found.status, found.exit_code) == (RunStatus.BROKEN, ExitCode.INFRASTRUCTURE)
    assert found.message == "nothing ran: no host or no task was found"


@pytest.mark.parametrize(
    ("facts", "rc", "status"),
    [
        (Facts(refused="usage", refusal="no"), 2, RunStatus.REFUSED),
        (Facts(refused="environment", refusal="no"), 2, RunStatus.BROKEN),
        (Facts(errors=["Could not match supplied host pattern, ignoring: x"]), 1, RunStatus.REFUSED),
        (passed(), 2, RunStatus.FAILED),
        (Facts(preflight="passed", unreachable=True), 4, RunStatus.BROKEN),
        (Facts(preflight="passed", unreachable=True), 2, RunStatus.BROKEN),
        (Facts(errors=["no YAML"]), 4, RunStatus.BROKEN),
        (Facts(), 1, RunStatus.BROKEN),
        (Facts(), 127, RunStatus.BROKEN),
        (Facts(), 250, RunStatus.BROKEN),
        (passed(), None, RunStatus.BROKEN),
    ],
)
def test_what_an_exit_code_means(facts: Facts, rc: int | None, status: RunStatus) -> None:
    found = judged(facts, Ended(rc))
    assert found.status is status
    assert found.message
    assert found.rc == rc


@pytest.mark.parametrize(("how", "status"), [("cancelled", RunStatus.CANCELLED), ("timeout", RunStatus.TIMEOUT)])
def test_a_run_that_was_ended_says_in_which_step(how: str, status: RunStatus) -> None:
    found = judged(passed(finding("critical")), Ended(254, how), step="Do it")
    assert (found.status, found.interrupted_step, found.exit_code) == (status, "Do it", ExitCode.INTERRUPTED)
    assert "Do it" in found.message


def test_a_run_that_was_ended_before_its_end_was_read_is_not_called_well() -> None:
    assert judged(passed(finding("ok")), Ended(0, "cancelled")).status is RunStatus.CANCELLED


def test_a_host_that_does_not_exist_is_named_with_the_remedy() -> None:
    found = judged(Facts(errors=["Could not match supplied host pattern, ignoring: drr"]), Ended(1))
    assert found.exit_code is ExitCode.USAGE
    assert found.message.startswith("no host or group 'drr' in the inventory; remedy: ")


def test_what_went_wrong_in_runner_is_said() -> None:
    found = judged(passed(), Ended(None, error="TIMEOUT: Timeout exceeded."))
    assert (found.status, found.message) == (RunStatus.BROKEN, "TIMEOUT: Timeout exceeded.")


def test_processes_that_are_left_are_named() -> None:
    assert "processes 7, 8 could not be ended" in judged(passed(), Ended(254, "cancelled", "", (7, 8))).message


def test_the_failing_step_is_the_reason() -> None:
    account = closed("resolution")
    step = {"section": "resolution", "number": 4, "title": "Do it", "outcome": "failed", "seconds": 1.0}
    account.note(StepFinished(**step, message="refused"))
    found = judged(passed(), Ended(2), account)
    assert (found.status, found.message) == (RunStatus.FAILED, "Do it: refused")


def test_the_outcome_holds_what_the_events_told() -> None:
    account = closed("immediate", likely="primary_down")
    step = {"section": "immediate", "number": 3, "title": "Hold", "seconds": 1.0}
    account.note(StepFinished(**step, outcome="changed"))
    found = judged(passed(finding("critical"), likely="primary_down"), Ended(0), account)
    assert (found.environment, found.record, found.next, found.changed) == ("lab", "incidents/x", "go on", True)
    assert (found.likely_cause, found.sections[0].likely_cause, found.seconds) == ("primary_down", "primary_down", 2.5)
