# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills on the lab, as a person types them; and what is left when their controller is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from dhakacart_lab import process
from dhakacart_lab.faults.catalogue import heal, inject
from dhakacart_lab.faults.state import active
from dhakacart_lab.lab import Lab
from dhakacart_lab.residue import remaining, snapshot
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.drill.guard import refusal
from dhakacart_runbooks.drill.load import load_all
from dhakacart_runbooks.drill.section import SectionRun, run_section
from dhakacart_runbooks.launcher import RunnerLauncher
from dhakacart_runbooks.launcher_api import Launcher
from dhakacart_runbooks.request import RunRequest

from tests.unit.wrapper.drill.doubles import GOOD, LAB_ID, ScriptedLauncher

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("DHAKACART_DRILL_KILLS", "2"))
# Every other one at any moment, from the first reading until long after the recovery; the others while the fault is
# at work, however fast the machine is.
KILLED_AFTER = (1.0, 45.0)
KILLED_INTO_THE_FAULT = (0.0, 5.0)


class Drill:
    """``runbook drill``, on one lab, with a state folder of its own."""

    def __init__(self, lab: Lab, state: Path) -> None:
        self.state = state
        self.environment = {
            **os.environ,
            "DHAKACART_LAB": lab.layout.name,
            "DHAKACART_STATE_HOME": str(state),
            "NO_COLOR": "1",
        }

    def argv(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).parent / "runbook"), "drill", *arguments]

    def __call__(self, *arguments: str, timeout: int = 240, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*arguments),
            cwd=ROOT, env={**self.environment, **more}, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.argv(*arguments),
            cwd=ROOT, env={**self.environment, **more}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def journals(self) -> list[dict[str, Any]]:
        done = self("list", "--journal", "--json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


@pytest.fixture
def drill(lab: Lab, tmp_path: Path) -> Drill:
    lab.wait_until_well()
    return Drill(lab, tmp_path / "state")


def test_a_killed_primary_is_detected_diagnosed_and_recovered_and_nothing_is_left(drill: Drill, tmp_path: Path) -> None:
    page, junit, lines = tmp_path / "card.html", tmp_path / "card.xml", tmp_path / "drills.jsonl"
    done = drill(
        "database-primary-killed", "--json", "--html", str(page), "--junit", str(junit), "--results", str(lines)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    card = json.loads(done.stdout)
    assert card["verdict"] == "passed"
    assert card["cause"] == card["expected_cause"] == "primary_down"
    assert 0 < card["rto_seconds"] < 300
    assert card["lost_orders"] == 0
    assert card["residue"] == []
    moments = [card["at"][step] for step in ("detect", "contain", "diagnose", "recover", "verify")]
    assert moments == sorted(moments)
    assert card["rto_seconds"] <= card["at"]["verify"]
    assert "database-primary-killed" in page.read_text(encoding="utf-8")
    case = ElementTree.parse(junit).getroot().find(".//testcase")
    assert case is not None
    assert not case.findall("failure") + case.findall("error")
    assert json.loads(lines.read_text())["id"] == card["id"]
    again = drill("run", "database-primary-killed", "--results", str(lines), "--resume")
    assert again.returncode == 0
    assert "identity" not in again.stderr, "it was held again though its result was there"
    trend = drill("trend", "database-primary-killed", "--json")
    assert json.loads(trend.stdout)[0]["last"] == card["rto_seconds"]


def test_a_fault_without_branch_ends_after_the_diagnosis_and_is_healed(drill: Drill) -> None:
    done = drill("run", "database-standby-lag")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed  database-standby-lag" in done.stdout
    (entry,) = drill.journals()
    phases = [phase["name"] for phase in entry["phases"]]
    assert "recover" not in phases
    assert phases[-2:] == ["heal", "compare"]


def test_the_doubles_of_the_unit_tests_answer_as_the_real_launcher_does(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DHAKACART_LAB", lab.layout.name)
    monkeypatch.chdir(ROOT)
    lab.wait_until_well()

    def ask(launcher: Launcher, runbook: str, *sections: str) -> SectionRun:
        variables = {"dhakacart_incident_dir": str(tmp_path / "incidents")} if sections else {}
        return run_section(launcher, RunRequest(runbook, sections, variables=variables))

    real, double = (
        RunnerLauncher(Catalogue.load()),
        ScriptedLauncher({**GOOD, "verification": GOOD["verification"][1:]}),
    )
    said = ask(real, "drill-target"), ask(double, "drill-target")
    assert {finding.id for finding in said[0].outcome.findings} == {finding.id for finding in said[1].outcome.findings}
    assert refusal(said[0].outcome.findings, lab.layout.lab_id) == ""
    assert refusal(said[1].outcome.findings, LAB_ID) == ""
    for section in ("symptoms", "verification"):
        well, told = ask(real, "database-failure", section), ask(double, "database-failure", section)
        for run in (well, told):
            assert (run.done, run.ran, run.cause, run.branch) == (True, True, "", "")
            assert not (section == "symptoms" and run.rings()), [finding.summary for finding in run.alarming()]
            assert run.said_recovered is (True if section == "verification" else None)
            assert run.time is not None
            assert run.time.section == section
    inject(lab, "primary-killed", lease=300)
    down, told = ask(real, "database-failure", "investigation"), ask(double, "database-failure", "investigation")
    for run in (down, told):
        assert (run.rings(), run.cause, run.branch) == (True, "primary_down", "failover")
    lied = ask(real, "database-failure", "verification")
    assert lied.said_recovered is False
    assert lied.outcome.status is GOOD["verification"][0].status


# ---------------------------------------------------------------------- blind


def truth_leaks(drill: Drill, words: set[str]) -> list[str]:
    """Where somebody could read the cause or the name of the drill without asking for it."""
    files = [path for path in drill.state.rglob("*") if path.is_file()]
    found = [str(path) for path in files if words & _words(path.read_text(encoding="utf-8", errors="replace"))]
    for running in psutil.process_iter(["cmdline"]):
        line = " ".join(running.info["cmdline"] or [])
        if words & _words(line) and "pytest" not in line:
            found.append(line)
    return found


def _words(text: str) -> set[str]:
    for mark in '",:/[]{}()=':
        text = text.replace(mark, " ")
    return set(text.split())


def test_a_blind_drill_tells_the_symptoms_only_and_the_answer_reveals_and_recovers(drill: Drill, lab: Lab) -> None:
    before = snapshot(lab)
    begun = drill("run", "--blind", "--seed", "7")
    assert begun.returncode == 0, begun.stderr
    assert "PAGE" in begun.stdout
    (fault,) = [found.name for found in active(lab.layout)]
    (scenario,) = [one for one in load_all(ROOT / "drills") if one.faults[0].fault == fault]
    words = {scenario.name, fault, scenario.expected_cause}
    assert not words & _words(begun.stdout + begun.stderr)
    assert truth_leaks(drill, words) == []
    hidden = lab.layout.faults.parent
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    mistyped = drill("answer", scenario.expected_cause[:-1])
    assert mistyped.returncode == 1
    assert f"did you mean {scenario.expected_cause}?" in mistyped.stderr
    answered = drill("answer", scenario.expected_cause, "--json")
    assert answered.returncode == 0, answered.stdout + answered.stderr
    card = json.loads(answered.stdout)
    assert (card["verdict"], card["answer"], card["scenario"]) == ("passed", scenario.expected_cause, scenario.name)
    assert card["at"]["diagnose"] > 0
    assert remaining(lab, before) == []


def test_a_blind_drill_can_be_given_up(drill: Drill, lab: Lab) -> None:
    assert drill("run", "--blind", "--seed", "7").returncode == 0
    second = drill("run", "--blind", "--seed", "8")
    assert second.returncode == 1
    assert "waits for its answer" in second.stderr
    healed = drill("heal")
    assert healed.returncode == 0, healed.stderr
    assert active(lab.layout) == []
    assert drill("answer", "primary_down").returncode == 1


# ---------------------------------------------------------------------- who may be broken


@pytest.fixture
def forbidden(tmp_path: Path) -> Iterator[Path]:
    """The lab's inventory in every respect but one: it does not allow drills."""
    folder = tmp_path / "forbidden"
    (folder / "group_vars/all").mkdir(parents=True)
    source = ROOT / "inventories/lab"
    (folder / "hosts.yml").write_text((source / "hosts.yml").read_text())
    common = (ROOT / "inventories/common/platform.yml").read_text()
    (folder / "group_vars/all/00-platform.yml").write_text(common)
    own = (source / "group_vars/all/environment.yml").read_text()
    (folder / "group_vars/all/environment.yml").write_text(own.replace("drillable: true", "drillable: false"))
    yield folder


def test_an_inventory_that_does_not_allow_drills_is_refused_and_nothing_is_touched(
    drill: Drill, lab: Lab, forbidden: Path
) -> None:
    before = snapshot(lab)
    done = drill("run", "database-primary-killed", "-i", str(forbidden))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "refused: the inventory does not allow drills" in done.stderr
    assert active(lab.layout) == []
    assert remaining(lab, before, within=2) == []


@pytest.mark.parametrize("inventory", ["production", "staging"])
def test_an_inventory_that_leads_elsewhere_than_to_the_lab_is_refused(inventory: str, drill: Drill, lab: Lab) -> None:
    done = drill("run", "database-primary-killed", "-i", inventory)
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()[-1]) < 400
    assert active(lab.layout) == []


def test_another_lab_than_the_one_that_would_be_broken_is_refused(drill: Drill, lab: Lab, tmp_path: Path) -> None:
    """The overlay leads to a lab whose systems say that they are another one."""
    layout = lab.layout
    with lab.cluster.connect() as database:
        database.execute(f"alter database {layout.database} set dhakacart.lab_id = 'somebody-elses'")
    try:
        done = drill("run", "database-primary-killed")
    finally:
        with lab.cluster.connect() as database:
            database.execute(f"alter database {layout.database} set dhakacart.lab_id = '{layout.lab_id}'")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "refused" in done.stderr
    assert active(layout) == []


# ---------------------------------------------------------------------- the leash


def short_leash(folder: Path) -> Path:
    """The drill of the killed primary, on a leash that ends within the test."""
    text = (ROOT / "drills/database-primary-killed.yml").read_text()
    folder.mkdir()
    (folder / "database-primary-killed.yml").write_text(text.replace("lease_seconds: 900", "lease_seconds: 60"))
    return folder


@pytest.mark.timeout(240 * KILLS)
def test_a_controller_that_is_killed_leaves_nothing_after_the_leash(
    drill: Drill, lab: Lab, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    drills = short_leash(tmp_path / "drills")
    chance = random.Random(20261123)
    died_in: list[str] = []
    for number in range(KILLS):
        lab.wait_until_well()
        before = snapshot(lab)
        running = drill.start("run", "database-primary-killed", DHAKACART_DRILLS=str(drills))
        if number % 2:
            time.sleep(chance.uniform(*KILLED_AFTER))
        else:
            process.wait_for("the fault", lambda: bool(active(lab.layout)), timeout=60, interval=0.1)
            time.sleep(chance.uniform(*KILLED_INTO_THE_FAULT))
        running.kill()
        running.wait()
        process.wait_for("the leash", lambda: not active(lab.layout), timeout=120, interval=0.5)
        assert remaining(lab, before, within=60) == []
        assert no_process_of(drill) == []
        newest = drill.journals()[-1] if drill.journals() else None
        if newest is not None:
            assert newest["status"] in ("interrupted", "passed"), newest
            died_in.append(newest["note"] or newest["status"])
    record_property("died_in", died_in)
    assert any("died in the phase" in note for note in died_in), died_in


def no_process_of(drill: Drill) -> list[str]:
    """Processes that still work for a controller that is gone; a few seconds are granted."""
    end = time.monotonic() + 20
    while True:
        left = [
            " ".join(found.info["cmdline"] or [])
            for found in psutil.process_iter(["cmdline", "environ"])
            if (found.info["environ"] or {}).get("DHAKACART_STATE_HOME") == str(drill.state)
        ]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.5)


def test_ctrl_c_heals_before_it_ends(drill: Drill, lab: Lab) -> None:
    before = snapshot(lab)
    running = drill.start("run", "database-primary-killed")
    process.wait_for("the fault", lambda: bool(active(lab.layout)), timeout=60, interval=0.1)
    time.sleep(3)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=120) == 3
    assert active(lab.layout) == []
    assert remaining(lab, before) == []
    assert drill.journals()[-1]["status"] == "interrupted"


@pytest.fixture(autouse=True)
def healed(lab: Lab) -> Iterator[None]:
    """Whatever a test that failed has left."""
    yield
    heal(lab)
