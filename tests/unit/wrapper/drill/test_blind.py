# SPDX-License-Identifier: GPL-3.0-or-later
"""Blind drills: the choice, what is hidden where, and the answer."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from dhakacart_runbooks.drill import blind, engine, journal, rehearsal
from dhakacart_runbooks.drill.guard import Refused
from dhakacart_runbooks.drill.load import load_all
from dhakacart_runbooks.drill.progress import Silent
from dhakacart_runbooks.errors import InfrastructureError, UsageError

from .doubles import GOOD, Answer, PaperTarget, ScriptedLauncher, scenario

ROOT = Path(__file__).resolve().parents[4]
KILLED = scenario()
FROZEN = scenario(
    name="database-primary-frozen", title="The primary is frozen", expected_cause="primary_frozen",
    faults=[{"fault": "primary-frozen"}],
)  # fmt: skip
BOTH = [KILLED, FROZEN]


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PaperTarget:
    monkeypatch.setattr(engine, "SETTLING_SECONDS", 0.01)
    for name in ("DETECT_SECONDS", "DIAGNOSE_SECONDS", "LAST_ORDER_SECONDS"):
        monkeypatch.setattr(rehearsal, name, 0.01)
    return PaperTarget(tmp_path)


def begun(target: PaperTarget, launcher: ScriptedLauncher | None = None) -> blind.Page:
    return blind.start(KILLED, 7, target, launcher or ScriptedLauncher(), None, Silent())[1]


def test_a_seed_chooses_the_same_drill_whatever_the_order_of_the_files() -> None:
    every = load_all(ROOT / "drills")
    assert blind.choose(every, 42) == blind.choose(list(reversed(every)), 42)


def test_seeds_reach_every_drill_about_equally_often() -> None:
    every = load_all(ROOT / "drills")
    names = [blind.choose(every, seed).name for seed in range(1600)]
    counts = {one.name: names.count(one.name) for one in every}
    assert min(counts.values()) > 50, counts


def test_the_pager_tells_what_customers_see_and_not_the_cause(target: PaperTarget) -> None:
    page = begun(target)
    assert page.alert == "ready: 503"
    assert (page.failed, page.orders, page.last_error) == (3, 5, "HTTP 503")


def test_the_truth_is_only_where_the_lab_keeps_it_and_nobody_else_can_read_that(
    target: PaperTarget, state: Path
) -> None:
    launcher = ScriptedLauncher()
    begun(target, launcher)
    path = target.secrets()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for journal_file in state.rglob("*.json"):
        text = journal_file.read_text()
        assert "primary" not in text
        assert "primary" not in journal_file.name
    for request in launcher.asked:
        assert "primary" not in repr(request)
        records = request.variables.get("dhakacart_incident_dir")
        assert records is None or not Path(records).exists(), "the records of its own readings name the cause"


def test_the_right_answer_is_scored_recovered_and_put_back(target: PaperTarget) -> None:
    begun(target)
    launcher = ScriptedLauncher({**GOOD, "symptoms": (Answer(),)})
    result, seed = blind.answer("primary_down", BOTH, target, launcher, Silent())
    assert result.verdict == "passed", result.score.reason
    assert (result.scenario, result.answer, seed) == ("database-primary-killed", "primary_down", 7)
    assert launcher.sections == ["verification", "resolution", "verification"]
    assert target.done[-2:] == ["heal", "compare"]
    assert not target.secrets().exists()
    assert journal.entries()[0].scenario == "database-primary-killed"


def test_a_wrong_answer_is_scored_revealed_and_recovered(target: PaperTarget) -> None:
    begun(target)
    result, _seed = blind.answer("primary_frozen", BOTH, target, ScriptedLauncher(), Silent())
    assert result.verdict == "failed"
    assert "named primary_frozen, expected primary_down" in result.score.reason
    assert target.broken() == []


def test_a_slip_of_the_finger_is_no_answer(target: PaperTarget) -> None:
    begun(target)
    with pytest.raises(UsageError, match="did you mean primary_frozen"):
        blind.answer("primary_froze", BOTH, target, ScriptedLauncher(), Silent())
    assert blind.waiting(target.name) is not None


def test_no_second_drill_begins_while_one_waits(target: PaperTarget) -> None:
    begun(target)
    with pytest.raises(UsageError, match="waits for its answer"):
        begun(target)


def test_an_answer_without_a_drill_is_one_line(target: PaperTarget) -> None:
    with pytest.raises(UsageError, match="no blind drill"):
        blind.answer("primary_down", BOTH, target, ScriptedLauncher(), Silent())


def test_a_truth_that_is_gone_is_said(target: PaperTarget) -> None:
    begun(target)
    target.secrets().unlink()
    with pytest.raises(InfrastructureError, match="taken down or healed meanwhile"):
        blind.answer("primary_down", BOTH, target, ScriptedLauncher(), Silent())


def test_giving_up_closes_it(target: PaperTarget) -> None:
    begun(target)
    assert blind.give_up(target) is not None
    assert blind.waiting(target.name) is None
    assert not target.secrets().exists()


def test_a_blind_drill_that_is_refused_breaks_nothing(target: PaperTarget) -> None:
    with pytest.raises(Refused):
        begun(target, ScriptedLauncher({**GOOD, "drill-target": (Answer(),)}))
    assert target.done == []
    assert blind.waiting(target.name) is None


def test_one_that_cannot_be_paged_is_put_back_and_says_nothing_of_the_fault(target: PaperTarget) -> None:
    target.inject_error = InfrastructureError("half of it")
    with pytest.raises(InfrastructureError, match="could not be begun"):
        begun(target)
    assert target.done[-2:] == ["heal", "compare"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError("a bug")])
def test_ctrl_c_or_a_bug_after_the_break_puts_everything_back(target: PaperTarget, error: BaseException) -> None:
    raising = ScriptedLauncher({**GOOD, "symptoms": (Answer(), Answer(raises=error))})
    with pytest.raises(type(error)):
        begun(target, raising)
    assert target.done == ["snapshot", "inject primary-killed", "heal", "compare"]
    assert not target.secrets().exists()
    assert blind.waiting(target.name) is None
