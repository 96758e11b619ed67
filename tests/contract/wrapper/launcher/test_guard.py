# SPDX-License-Identifier: GPL-3.0-or-later
"""No process with a run's marker survives: not one in a session of its own, not one that keeps starting others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_runbooks.launcher import guard
from dhakacart_runbooks.launcher.folder import PREFIX, PrivateFolder, sweep
from dhakacart_runbooks.launcher.leash import Leash

SLEEPER = "import time; time.sleep(60)"
# Each of its processes lives for a moment and starts the next one, in a session of its own.
CHAIN = """
import os, time
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.05)
"""
# A wrapper that holds a leash and has a process of the run; it says its folder and waits.
WRAPPER = """
import os, subprocess, sys, time
from pathlib import Path
from dhakacart_runbooks.launcher.folder import PrivateFolder
from dhakacart_runbooks.launcher.leash import Leash
folder = PrivateFolder(Path(sys.argv[2]), sys.argv[1])
leash = Leash(sys.argv[1], folder.path)
folder.make()
if "fork" in sys.argv and os.fork() == 0:
    time.sleep(5)
    os._exit(0)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True,
                 env={**os.environ, "DHAKACART_RUN_ID": sys.argv[1]})
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def run_id() -> Iterator[str]:
    """A run of this test; nothing of it is left whatever happens."""
    chosen = str(uuid.uuid4())
    yield chosen
    guard.reap(chosen)


def started(run_id: str, program: str = SLEEPER) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, guard.MARKER: run_id}, start_new_session=True
    )


def wrapper(run_id: str, home: Path, *words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRAPPER, run_id, str(home), *words],
        stdout=subprocess.PIPE,
        text=True,
        # Whoever runs these tests under nohup has SIGHUP ignored, and so would have the wrapper.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def soon(condition: object, seconds: float = 5.0) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not (met := bool(condition())) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


def test_processes_of_the_run_are_ended_and_others_are_not(run_id: str) -> None:
    other = str(uuid.uuid4())
    mine, foreign = [started(run_id), started(run_id)], started(other)
    try:
        assert guard.reap(run_id) == []
        assert [process.wait(5) for process in mine] == [-signal.SIGKILL] * 2
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_a_run_that_keeps_starting_processes_is_ended_too(run_id: str) -> None:
    started(run_id, CHAIN).wait(5)
    assert soon(lambda: guard.marked(run_id))
    assert guard.reap(run_id) == []
    time.sleep(0.1)
    assert guard.marked(run_id) == []


def test_a_run_id_that_begins_like_another_is_another() -> None:
    first = str(uuid.uuid4())
    process = started(f"{first}0")
    try:
        assert guard.marked(first) == []
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_when_the_wrapper_dies_its_run_and_folder_are_gone(number: int, run_id: str, tmp_path: Path) -> None:
    process = wrapper(run_id, tmp_path)
    assert guard.marked(run_id)
    process.send_signal(number)
    process.wait(5)
    assert soon(lambda: not guard.marked(run_id) and not list(tmp_path.iterdir()))


def test_a_child_that_the_wrapper_forked_does_not_keep_the_guard_waiting(run_id: str, tmp_path: Path) -> None:
    process = wrapper(run_id, tmp_path, "fork")
    process.kill()
    process.wait(5)
    assert soon(lambda: not guard.marked(run_id) and not list(tmp_path.iterdir()), 3)


def test_a_guard_that_is_released_touches_nothing(run_id: str, tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path, run_id)
    leash = Leash(run_id, folder.path)
    folder.make()
    process = started(run_id)
    begin = time.monotonic()
    leash.release()
    assert time.monotonic() - begin < 1
    assert process.poll() is None
    assert folder.path.is_dir()


def test_a_guard_that_was_killed_does_not_hurt_the_end(run_id: str, tmp_path: Path) -> None:
    leash = Leash(run_id, tmp_path / "none")
    os.kill(leash._guard.pid, signal.SIGKILL)
    leash._guard.wait()
    leash.release()


def test_the_guard_reads_nothing_of_ours_and_keeps_no_pipe_of_ours_open(run_id: str, tmp_path: Path) -> None:
    """A reader of the wrapper's output must not wait for the guard."""
    process = wrapper(run_id, tmp_path)
    named = [path for path in Path("/proc").glob("[0-9]*") if run_id.encode() in _read(path / "cmdline")]
    (guarding,) = [path for path in named if int(path.name) != process.pid]
    assert _read(guarding / "environ") == b""
    assert process.stdout is not None
    pipe = Path(f"/proc/self/fd/{process.stdout.fileno()}").readlink()
    assert pipe not in [path.readlink() for path in (guarding / "fd").iterdir()]
    process.kill()
    process.wait()
    process.stdout.close()
    assert soon(lambda: not list(tmp_path.iterdir()))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_what_a_dead_wrapper_and_a_dead_guard_left_is_swept_and_what_lives_is_not(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dhakacart_runbooks.launcher.folder.YOUNG_SECONDS", 0)
    left = tmp_path / f"{PREFIX}{run_id}"
    left.mkdir(mode=0o700)
    (left / "variables.json").write_text("{}", encoding="utf-8")
    living = PrivateFolder(tmp_path, str(uuid.uuid4()))
    living.make()
    process = started(run_id)
    sweep(tmp_path)
    assert not left.exists()
    assert process.wait(5) == -signal.SIGKILL
    assert living.path.is_dir()
    living.remove()
    assert not living.path.exists()
