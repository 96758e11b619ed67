# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook run`` and ``runbook doctor`` on the lab, as a person types them."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from dhakacart_lab.faults.catalogue import inject
from dhakacart_lab.lab import Lab

from tests.scenario.conftest import NAME, ROOT

RUNBOOK = str(Path(sys.executable).parent / "runbook")
Type = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DHAKACART_LAB": NAME,
        "DHAKACART_STATE_HOME": str(tmp_path / "state"),
        "NO_COLOR": "1",
    }


@pytest.fixture
def type_(surroundings: dict[str, str], tmp_path: Path) -> Type:
    """``type_("run", ...)``; records go to a folder of the test."""

    def apply(*words: str, env: Mapping[str, str] | None = None, keep: bool = True) -> subprocess.CompletedProcess[str]:
        where = ["-e", f"dhakacart_incident_dir={tmp_path / 'incidents'}"] if keep and words[0] == "run" else []
        done = subprocess.run(
            [RUNBOOK, *words, *where],
            cwd=ROOT,
            env={**surroundings, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done

    return apply


def test_an_incident_from_the_first_command_to_the_last(lab: Lab, type_: Type, tmp_path: Path) -> None:
    """Each run names the next command; following them ends the incident."""
    inject(lab, "primary-killed", lease=600)
    time.sleep(4)
    opened = type_("run", "database-failure", "-s", "immediate")
    assert opened.returncode == 2, opened.stdout + opened.stderr
    assert "The primary is down and the standby is alive (primary_down)" in opened.stdout
    assert opened.stdout.splitlines()[-1] == "Next: runbook run database-failure -s investigation"
    assert f"Record: {tmp_path}/incidents/" in opened.stdout
    investigated = type_("run", "database-failure", "-s", "investigation")
    assert investigated.stdout.splitlines()[-1] == "Next: runbook run database-failure -s resolution"
    resolved = type_("run", "database-failure", "-s", "resolution")
    assert resolved.stdout.splitlines()[-1] == "Next: runbook run database-failure -s verification", resolved.stdout
    verified = type_("run", "database-failure", "-s", "verification")
    assert "Recovered" in verified.stdout, verified.stdout + verified.stderr


def test_json_is_events_only_and_ends_with_the_outcome(lab: Lab, type_: Type) -> None:
    done = type_("run", "database-failure", "-s", "symptoms", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["outcome"]["exit_code"] == done.returncode
    assert {"environment_known", "section_started", "step_finished", "findings_read", "section_finished"} <= {
        event["event"] for event in events
    }


def test_check_says_what_would_change_and_changes_nothing(lab: Lab, type_: Type) -> None:
    lab.cluster.primary().kill()
    time.sleep(3)
    done = type_("run", "database-failure", "-s", "resolution", "--check")
    assert "(--check: changes nothing)" in done.stdout, done.stdout + done.stderr
    assert lab.cluster.standby().in_recovery()


def test_ctrl_c_ends_it_says_what_was_interrupted_and_leaves_no_process(lab: Lab, surroundings: dict[str, str]) -> None:
    """As at a terminal: the signal goes to the whole foreground group."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [RUNBOOK, "run", "database-failure"],
        cwd=ROOT,
        env={**surroundings, "TERM": "xterm"},
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    os.close(slave)
    assert process.stdout is not None
    seen = ""
    while "database-failure /" not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == 3, seen + rest
    assert "Interrupted" in rest
    assert "Next: runbook run database-failure -s investigation" in rest
    assert not [pid for pid in Path("/proc").iterdir() if pid.name.isdigit() and _session(pid) == process.pid]


def _session(pid: Path) -> int:
    try:
        return int((pid / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[3])
    except (OSError, ValueError, IndexError):
        return 0


def test_a_lab_that_is_not_up_is_one_line(type_: Type) -> None:
    done = type_("run", "database-failure", env={"DHAKACART_LAB_HOME": "/nowhere"})
    assert done.returncode == 4, done.stdout + done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "is not up" in done.stderr
    assert "remedy: runbook lab up" in done.stderr


def test_an_inventory_without_the_group_is_one_line(type_: Type, tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text("web: {hosts: {shop: {}}}\n", encoding="utf-8")
    done = type_("run", "database-failure", "-i", str(path))
    assert done.returncode in (1, 4), done.stdout + done.stderr
    assert "primary" in done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)


def test_an_incident_that_does_not_exist_is_one_line(lab: Lab, type_: Type) -> None:
    done = type_("run", "database-failure", "-s", "symptoms", "--incident", "2020-01-01-000000-lab-database-failure")
    assert done.returncode == 1, done.stdout + done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "2020-01-01-000000-lab-database-failure" in done.stderr


def test_a_history_that_cannot_be_written_does_not_stop_the_run(lab: Lab, type_: Type, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    kept = type_("run", "database-failure", "-s", "symptoms")
    done = type_("run", "database-failure", "-s", "symptoms", env={"DHAKACART_STATE_HOME": str(blocked / "below")})
    assert done.returncode == kept.returncode, done.stdout + done.stderr
    assert "history" in done.stdout + done.stderr
    assert "symptoms took" in done.stdout


def test_doctor_finds_a_running_lab_fit_and_staging_not(lab: Lab, type_: Type) -> None:
    fit = type_("doctor")
    assert fit.returncode == 0, fit.stdout
    unfit = type_("doctor", "-i", "staging")
    assert unfit.returncode == 2, unfit.stdout
    assert "dhakacart_db_host" in unfit.stdout
