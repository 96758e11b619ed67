# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill from beginning to end, on paper: what is done in which order, and that everything is put back."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from dhakacart_runbooks.drill import engine, journal, rehearsal
from dhakacart_runbooks.drill.engine import Drill, Interrupted
from dhakacart_runbooks.drill.guard import Refused, refusal
from dhakacart_runbooks.drill.result import Result
from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.finding import Finding, Status
from dhakacart_runbooks.outcome import RunStatus

from .doubles import DOWN, GOOD, WELL, Answer, Order, Out, PaperTarget, ScriptedLauncher, identity, scenario

NO_BRANCH = {"expected_branch": None, "sections": ["immediate", "investigation", "verification"]}


@pytest.fixture
def target(tmp_path: Path) -> PaperTarget:
    return PaperTarget(tmp_path)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on paper needs time."""
    monkeypatch.setattr(engine, "SETTLING_SECONDS", 0.02)
    for name in ("DETECT_SECONDS", "DIAGNOSE_SECONDS"):
        monkeypatch.setattr(rehearsal, name, 0.02)


def script(**changes: tuple[Answer, ...]) -> ScriptedLauncher:
    return ScriptedLauncher({**GOOD, **changes})


def hold(target: PaperTarget, launcher: ScriptedLauncher, **changes: object) -> Result:
    return Drill.of(scenario(**changes), target, launcher, sleep=lambda _seconds: None).run()


def test_a_drill_reads_breaks_repairs_and_puts_back_in_this_order(target: PaperTarget) -> None:
    launcher = script()
    result = hold(target, launcher)
    assert result.verdict == "passed", result.score.reason
    assert launcher.sections == [
        "drill-target", "symptoms", "symptoms", "immediate", "investigation", "verification", "resolution",
        "verification",
    ]  # fmt: skip
    assert target.done == ["snapshot", "inject primary-killed", "heal", "compare"]
    assert (result.rto, result.rpo) == (10.0, 0.0)
    assert list(result.at) == ["detect", "contain", "diagnose", "recover", "verify"]


def test_a_fault_without_branch_ends_after_the_diagnosis_and_the_question_whether_the_verification_lies(
    target: PaperTarget,
) -> None:
    launcher = script()
    result = hold(target, launcher, **{**NO_BRANCH, "expected_cause": "primary_down"})
    assert "resolution" not in launcher.sections
    assert launcher.sections[-1] == "verification"
    assert result.rto is None
    assert target.done[-2:] == ["heal", "compare"]


def test_only_the_runs_of_the_drill_carry_its_approval(target: PaperTarget) -> None:
    launcher = script()
    result = hold(target, launcher)
    approved = [request.sections for request in launcher.asked if request.approve]
    assert approved == [("resolution",)]
    assert result.id in str(next(request.approve for request in launcher.asked if request.approve))


def test_incident_records_of_a_rehearsal_stay_apart(target: PaperTarget, state: Path) -> None:
    launcher = script()
    result = hold(target, launcher)
    folders = {request.variables.get("dhakacart_incident_dir") for request in launcher.asked[1:]}
    assert folders == {str(state / "drills" / "records" / result.id)}


def test_swapped_endpoints_are_told_to_the_last_verification_only(target: PaperTarget) -> None:
    launcher = script()
    hold(target, launcher, endpoints_swapped=True)
    told = [r.variables.get("dhakacart_db_host") for r in launcher.asked if r.sections == ("verification",)]
    assert told == [None, "127.0.0.20"]


@pytest.mark.parametrize("condition", ["no-fault", "leash", "lab-well", "customers-ordering", "standby-in-sync"])
def test_a_precondition_that_does_not_hold_breaks_nothing_and_proves_nothing(
    condition: str, target: PaperTarget
) -> None:
    target.unmet_conditions = {condition: "not so"}
    result = hold(target, script())
    assert result.verdict == "invalid"
    assert f"precondition {condition}: not so" in result.score.reason
    assert target.done == []


def test_an_alarm_that_rings_already_proves_nothing(target: PaperTarget) -> None:
    result = hold(target, script(symptoms=(DOWN,)))
    assert result.verdict == "invalid"
    assert "pager-silent: ready: 503" in result.score.reason
    assert target.done == []


def test_the_pager_tells_what_is_worse_than_before_and_not_what_always_was(target: PaperTarget) -> None:
    old = Finding("kubernetes.hpa", "autoscaler", Status.WARNING, "no metrics")
    new = Finding("postgresql.lag", "standby", Status.WARNING, "12 s behind")
    well, ill = Answer(findings=(old,)), replace(DOWN, findings=(old, new))
    hold(target, script(symptoms=(well, ill)))
    detect = next(phase for phase in journal.entries()[0].phases if phase.name == "detect")
    assert detect.detail == "standby: 12 s behind"


def test_a_fault_that_nobody_notices_is_undetected(target: PaperTarget) -> None:
    result = hold(target, script(symptoms=(WELL,)))
    assert result.verdict == "failed"
    assert "detected: no alert came" in result.score.reason


def test_the_first_cause_that_is_named_counts(target: PaperTarget) -> None:
    wrong = replace(DOWN, cause="disk_full", branch="storage")
    result = hold(target, script(investigation=(wrong, DOWN)))
    assert result.verdict == "failed"
    assert result.observed.cause == "disk_full"


def test_an_investigation_that_names_nothing_yet_is_asked_again(target: PaperTarget) -> None:
    nothing = replace(DOWN, cause="", branch="")
    launcher = script(investigation=(nothing, nothing, DOWN))
    assert hold(target, launcher).observed.cause == "primary_down"
    assert launcher.sections.count("investigation") == 3


def test_a_verification_that_is_green_while_it_is_broken_fails_the_drill(target: PaperTarget) -> None:
    result = hold(target, script(verification=(Answer(recovered=True),)))
    assert "said recovered while it was broken" in result.score.reason


def test_a_resolution_that_fails_is_not_verified_and_everything_is_put_back(target: PaperTarget) -> None:
    launcher = script(resolution=(Answer(status=RunStatus.FAILED, message="refused"),))
    result = hold(target, launcher)
    assert result.verdict == "failed"
    assert "rto: the resolution failed" in result.score.reason
    assert launcher.sections[-1] == "resolution"
    assert target.done[-2:] == ["heal", "compare"]


def test_lost_orders_are_counted_after_the_recovery(target: PaperTarget) -> None:
    target.missing = [Order("a", 1.0)]
    result = hold(target, script())
    assert result.observed.loss is not None
    assert result.observed.loss.count == 1
    assert "rpo" in result.score.reason


def test_an_outage_that_does_not_end_is_waited_for_and_fails(target: PaperTarget) -> None:
    target.outage = lambda injected: [Out(injected + 1, None)]
    drill = Drill.of(scenario(objectives={"rto_seconds": 0.01, "rpo_seconds": 60.0}), target, script())
    drill.bench.sleep = lambda _seconds: None
    drill.bench.wait_for = lambda what, seconds, every=1.0: what()  # type: ignore[method-assign]
    result = drill.run()
    assert result.verdict == "failed"
    assert "could still not order" in result.score.reason


def test_what_is_left_makes_a_perfect_drill_invalid(target: PaperTarget) -> None:
    target.left = ["deployment x: replicas was 3, is 2"]
    result = hold(target, script())
    assert result.verdict == "invalid"
    assert "replicas was 3, is 2" in result.score.reason


def test_a_leash_that_ended_the_fault_meanwhile_proves_nothing(target: PaperTarget) -> None:
    target.broken = lambda: []  # type: ignore[method-assign]
    result = hold(target, script())
    assert result.verdict == "invalid"
    assert "was ended by its leash" in result.score.reason


def test_what_cannot_be_healed_is_said_and_scored_as_invalid(target: PaperTarget) -> None:
    target.heal_error = InfrastructureError("postgres does not start")
    result = hold(target, script())
    assert result.verdict == "invalid"
    assert "could not be put back: postgres does not start" in result.score.reason


def test_a_fault_that_took_effect_by_half_is_healed(target: PaperTarget) -> None:
    target.inject_error = InfrastructureError("half of it")
    result = hold(target, script())
    assert result.verdict == "invalid"
    assert target.done == ["snapshot", "inject primary-killed", "heal", "compare"]


SECTIONS = ("immediate", "investigation", "resolution", "verification")


@pytest.mark.parametrize("section", SECTIONS)
def test_ctrl_c_in_any_section_heals_compares_and_is_told(section: str, target: PaperTarget) -> None:
    launcher = script(**{section: (Answer(raises=KeyboardInterrupt()),)})
    with pytest.raises(Interrupted) as caught:
        hold(target, launcher)
    assert caught.value.result.verdict == "interrupted"
    assert target.done[-2:] == ["heal", "compare"]
    assert journal.entries()[0].status == "interrupted"


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_could_not_run_makes_it_invalid_and_everything_is_put_back(
    section: str, target: PaperTarget
) -> None:
    launcher = script(**{section: (Answer(status=RunStatus.BROKEN, message="no ansible-playbook"),)})
    result = hold(target, launcher)
    assert result.verdict == "invalid"
    assert "no ansible-playbook" in result.score.reason
    assert target.done[-2:] == ["heal", "compare"]


def test_a_bug_in_the_drill_itself_heals_too(target: PaperTarget) -> None:
    launcher = script(investigation=(Answer(raises=ZeroDivisionError()),))
    with pytest.raises(ZeroDivisionError):
        hold(target, launcher)
    assert target.done[-2:] == ["heal", "compare"]


def test_ctrl_c_while_it_is_put_back_waits_until_it_is(target: PaperTarget) -> None:
    heal = target.heal

    def pressed() -> None:
        signal.raise_signal(signal.SIGINT)
        heal()

    target.heal = pressed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        hold(target, script())
    assert target.done[-2:] == ["heal", "compare"]


def test_the_journal_has_every_phase_and_the_leash_before_anything_is_broken(target: PaperTarget, state: Path) -> None:
    seen: list[dict[str, object]] = []
    inject = target.inject

    def look(fault: str, lease: float) -> None:
        seen.append(json.loads(next((state / "drills").glob("*.json")).read_text()))
        inject(fault, lease)

    target.inject = look  # type: ignore[method-assign]
    result = hold(target, script())
    assert seen[0]["leash"]
    assert seen[0]["status"] == "running"
    entry = journal.entries()[0]
    assert entry.status == "passed"
    assert [phase.name for phase in entry.phases] == [
        "identity", "preconditions", "snapshot", "break", "detect", "contain", "diagnose", "probe", "recover",
        "customers", "verify", "count", "heal", "compare",
    ]  # fmt: skip
    assert entry.result["id"] == result.id


def test_a_state_folder_that_cannot_be_written_breaks_nothing(target: PaperTarget, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(InfrastructureError, match="journal cannot be written"):
        hold(target, script())
    assert target.done == []


# ---------------------------------------------------------------------- who may be broken


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ((), "no answer to identity.inventory"),
        (identity(inventory=Status.CRITICAL), "lab"),
        (identity(database=Status.UNKNOWN), "database says so"),
        (identity(rds=Status.WARNING), "rds says so"),
        (identity()[:-1], "no answer to identity.rds"),
        (identity("other-12345678"), "says it is lab 'other-12345678'"),
        (identity(""), "says it is no lab"),
        ((*identity(), Finding("identity.lab", "lab", Status.CRITICAL, "different labs")), "different labs"),
    ],
)
def test_what_is_not_certain_to_be_the_lab_is_refused_and_not_touched(
    findings: tuple[Finding, ...], words: str, target: PaperTarget
) -> None:
    launcher = script(**{"drill-target": (Answer(findings=findings),)})
    with pytest.raises(Refused) as caught:
        hold(target, launcher)
    assert words in str(caught.value)
    assert "; remedy: " in str(caught.value)
    assert target.done == []
    assert launcher.sections == ["drill-target"]
    assert journal.entries()[0].status == "invalid"


def test_a_tool_that_fails_refuses_even_where_its_findings_are_good(target: PaperTarget) -> None:
    launcher = script(**{"drill-target": (Answer(findings=identity(), status=RunStatus.FAILED, message="no"),)})
    with pytest.raises(Refused):
        hold(target, launcher)


def test_the_inventorys_own_no_is_named_first() -> None:
    findings = identity(inventory=Status.CRITICAL, kubernetes=Status.CRITICAL)
    assert refusal(findings, "x").startswith("refused: lab")
