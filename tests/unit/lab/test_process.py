# SPDX-License-Identifier: GPL-3.0-or-later
"""A component is found by what it is, not by a number that something else may have by now."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from dhakacart_lab import process
from dhakacart_lab.layout import LabError, Layout

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    found = Layout(name="t", folder=tmp_path, subnet=77, lab_id=f"t-{os.getpid()}-{time.monotonic_ns()}")
    yield found
    process.end(process.all_of(found.lab_id), timeout=3)


def test_a_started_component_is_found_and_is_started_once(layout: Layout) -> None:
    first = process.start(layout, "c", SLEEP)
    assert process.find(layout, "c") == first
    assert process.start(layout, "c", SLEEP) == first
    assert process.all_of(layout.lab_id) == [first]


def test_a_component_that_never_ran_is_not_found(layout: Layout) -> None:
    assert process.find(layout, "c") is None
    process.stop(layout, "c")


def test_a_stopped_component_is_gone_with_its_pid_file(layout: Layout) -> None:
    started = process.start(layout, "c", SLEEP)
    process.stop(layout, "c", timeout=3)
    assert not started.is_running()
    assert process.find(layout, "c") is None
    assert not process.pid_file(layout, "c").exists()


def test_a_component_that_ignores_the_signal_is_killed(layout: Layout) -> None:
    started = process.start(layout, "c", STUBBORN)
    log = layout.logs / "c.log"
    process.wait_for("it", lambda: "up" in log.read_text(), timeout=10, log=log)
    process.stop(layout, "c", timeout=0.2)
    assert not started.is_running()


def test_a_frozen_component_is_ended_too(layout: Layout) -> None:
    started = process.start(layout, "c", SLEEP)
    started.suspend()
    process.stop(layout, "c", timeout=3)
    assert not started.is_running()


def test_a_pid_that_something_else_has_now_is_not_the_component(layout: Layout) -> None:
    layout.run.mkdir()
    process.pid_file(layout, "c").write_text(f"{os.getpid()} 1.00\n")
    assert process.find(layout, "c") is None
    process.stop(layout, "c")  # and it is left alone: this test is still running
    started = psutil.Process().create_time()
    process.pid_file(layout, "c").write_text(f"{os.getpid()} {started:.2f}\n")
    found = process.find(layout, "c")
    assert found is not None
    assert found.pid == os.getpid()


def test_a_zombie_is_not_alive(layout: Layout) -> None:
    layout.run.mkdir()
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    try:
        found = psutil.Process(child.pid)
        process.pid_file(layout, "c").write_text(f"{child.pid} {found.create_time():.2f}\n")
        process.wait_for("its end", lambda: found.status() == psutil.STATUS_ZOMBIE, timeout=10)
        assert process.find(layout, "c") is None
    finally:
        child.wait()


@pytest.mark.parametrize("text", ["", "x", "12", "x y", "999999999 1.00", "1 2 3"])
def test_a_pid_file_that_makes_no_sense_is_no_component(layout: Layout, text: str) -> None:
    layout.run.mkdir()
    process.pid_file(layout, "c").write_text(text)
    assert process.find(layout, "c") is None


def test_what_a_crash_left_behind_is_found_by_the_labs_mark(layout: Layout) -> None:
    started = process.start(layout, "c", SLEEP)
    process.pid_file(layout, "c").unlink()
    assert process.all_of(layout.lab_id) == [started]
    assert process.all_of("another-lab") == []


def test_a_component_gets_nothing_of_the_callers_environment_but_what_it_needs(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    monkeypatch.setenv("PATH", "/bin")
    found = process.environment(layout, {"EXTRA": "1"})
    assert "AWS_SECRET_ACCESS_KEY" not in found
    assert (found["PATH"], found["EXTRA"], found[process.MARKER]) == ("/bin", "1", layout.lab_id)


def test_waiting_ends_when_it_is_ready_and_says_where_to_look_when_it_is_not(tmp_path: Path) -> None:
    answers = iter([False, False, True])
    assert process.wait_for("it", lambda: next(answers), timeout=5, interval=0.001) < 5
    with pytest.raises(LabError, match=r"it was not ready after 0 s; its output: .*log; remedy: "):
        process.wait_for("it", lambda: False, timeout=0.01, interval=0.001, log=tmp_path / "log")


def test_a_component_is_still_found_when_the_clock_of_the_machine_was_corrected(layout: Layout) -> None:
    started = process.start(layout, "c", SLEEP)
    process.pid_file(layout, "c").write_text(f"{started.pid} {started.create_time() - 1:.2f}\n")
    assert process.find(layout, "c") == started


def test_what_works_in_the_folder_of_a_lab_is_found_and_a_persons_shell_is_not(layout: Layout) -> None:
    component = process.start(layout, "c", SLEEP)
    with subprocess.Popen(SLEEP, cwd=layout.folder) as person:
        try:
            assert process.inside(layout.folder) == [component]
        finally:
            person.kill()
