# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs through the wrapper, ended at any moment in any way: no process is left, no secret is written, the lab works."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dhakacart_lab.lab import Lab
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.errors import ExitCode, UsageError
from dhakacart_runbooks.events import Event, RunFinished, RunStarted, Said
from dhakacart_runbooks.finding import Status
from dhakacart_runbooks.launcher import RunnerLauncher, guard
from dhakacart_runbooks.launcher.folder import PREFIX
from dhakacart_runbooks.outcome import RunOutcome, RunStatus
from dhakacart_runbooks.paths import private_home
from dhakacart_runbooks.request import RunRequest

from tests.scenario.conftest import NAME

ROOT = Path(__file__).resolve().parents[2]
# 50 is the proof that is asked for; a few show that it has not been broken since.
KILLS = int(os.environ.get("DHAKACART_KILLS", "4"))
SEED = 20261123
# Of the time that a whole run takes on this machine now: its very end is to be met as well.
LATEST = 1.1
# Seconds to end all processes and tell it, on a machine that has other things to do.
AT_ONCE = 15
DONE = frozenset({RunStatus.HEALTHY, RunStatus.UNHEALTHY})
# A process of its own: it says its run's id, each event, and at the end the outcome's status.
PROGRAM = """
import signal, sys
from pathlib import Path
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.launcher import CancelledBySignals, RunnerLauncher
from dhakacart_runbooks.request import RunRequest
incidents, playbook, *sections = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in a shell's background ignores it
catalogue = Catalogue.load()
if playbook:
    object.__setattr__(catalogue.get("database-failure"), "playbook", Path(playbook))
request = RunRequest("database-failure", tuple(sections), variables={"dhakacart_incident_dir": incidents})
with CancelledBySignals() as signals:
    run = signals.attach(RunnerLauncher(catalogue).start(request))
    print(run.run_id, flush=True)
    for event in run.events():
        print(event.kind, flush=True)
    outcome = run.wait()
print(outcome.status, flush=True)
print(outcome.message, file=sys.stderr)
sys.exit(outcome.exit_code)
"""
# A module that runs for longer than any test, in a worker that is the leader of a session of its own.
HOLD = """
- name: Database failure | Immediate
  hosts: localhost
  gather_facts: false
  tags: [immediate]
  tasks:
    - name: Hold
      ansible.builtin.command: sleep 300
      changed_when: false
"""


@pytest.fixture
def launcher(whole_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> RunnerLauncher:
    monkeypatch.setenv("DHAKACART_LAB", NAME)
    return RunnerLauncher(Catalogue.load())


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """After every test, also one that fails."""
    before = set(folders())
    yield
    assert not [path for path in set(folders()) - before if not held_by_another(path)]


def held_by_another(path: Path) -> bool:
    """Whether it belongs to a run of another process, which has nothing to do with these tests."""
    if path in [Path(os.path.realpath(link)) for link in Path("/proc/self/fd").iterdir()]:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def folders() -> list[Path]:
    return list(private_home().glob(f"{PREFIX}*"))


def request(tmp_path: Path, *sections: str, **more: Any) -> RunRequest:
    variables = {"dhakacart_incident_dir": str(tmp_path / "incidents"), **more.pop("variables", {})}
    return RunRequest("database-failure", sections, variables=variables, **more)


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    """A playbook that does not end by itself."""
    path = tmp_path / "hold.yml"
    path.write_text(HOLD, encoding="utf-8")
    return path


def assert_gone(run_id: str, within: float = 0.0) -> None:
    """No process of the run and no folder."""
    deadline = time.monotonic() + within
    while (left := (guard.marked(run_id), folder_of(run_id))) != ([], []) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == ([], [])


def folder_of(run_id: str) -> list[Path]:
    return [path for path in folders() if path.name == f"{PREFIX}{run_id}"]


@pytest.fixture(scope="module")
def duration(whole_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds of a whole run, as a process."""
    begin = time.monotonic()
    process, _run_id = wrapper(tmp_path_factory.mktemp("whole"), "immediate")
    assert process.wait(120) in (0, 2)
    return time.monotonic() - begin


def moments(count: int, salt: int) -> list[float]:
    """Seeded moments, as parts of a run and spread over it: one in each of ``count`` equal parts."""
    dice = random.Random(SEED + salt)
    return [(part + dice.random()) * LATEST / count for part in range(count)]


def wrapper(tmp_path: Path, *sections: str, playbook: Path | str = "") -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "incidents"), str(playbook), *sections],
        cwd=ROOT,
        env={**os.environ, "DHAKACART_LAB": NAME},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_run_tells_what_it_read_and_ends_with_its_outcome(launcher: RunnerLauncher, tmp_path: Path) -> None:
    with launcher.start(request(tmp_path, "immediate")) as run:
        events = list(run.events())
        outcome = run.wait()
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == outcome.to_json()
    kinds = {event.kind for event in events}
    assert kinds >= {"environment_known", "section_started", "findings_read", "diagnosed", "section_finished"}
    assert outcome.status in DONE
    assert outcome.findings
    assert [section.section for section in outcome.sections] == ["immediate"]
    assert "--tags investigation" in outcome.next
    assert outcome.rc == 0
    assert_gone(run.run_id)


@pytest.mark.parametrize("moment", moments(KILLS, 1), ids=lambda moment: f"{moment:.3f}")
def test_cancelled_at_any_moment_it_leaves_nothing(
    moment: float, duration: float, launcher: RunnerLauncher, tmp_path: Path
) -> None:
    run = launcher.start(request(tmp_path, "immediate"))
    time.sleep(moment * duration)
    run.cancel()
    outcome = run.wait(AT_ONCE)
    assert outcome.status is RunStatus.CANCELLED or outcome.status in DONE
    assert_gone(run.run_id)


@pytest.mark.parametrize("moment", moments(KILLS, 2), ids=lambda moment: f"{moment:.3f}")
def test_killed_at_any_moment_it_leaves_nothing(moment: float, duration: float, tmp_path: Path) -> None:
    process, run_id = wrapper(tmp_path, "immediate")
    time.sleep(moment * duration)
    process.kill()
    process.wait()
    assert_gone(run_id, within=AT_ONCE)


def test_the_lab_is_usable_after_all_that(launcher: RunnerLauncher, tmp_path: Path) -> None:
    outcome = launcher.run(request(tmp_path, "immediate"))
    assert outcome.status in DONE, outcome.message
    assert not outcome.likely_cause
    # A cache with few look-ups is "not judged", which is not healthy; anything else would be damage.
    bad = [f for f in outcome.findings if f.configured and f.status in (Status.CRITICAL, Status.UNKNOWN)]
    assert {finding.id for finding in bad} <= {"redis.hit_rate"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_and_the_exit_code_says_so(number: int, whole_lab: Lab, hold: Path, tmp_path: Path) -> None:
    process, run_id = wrapper(tmp_path, "immediate", playbook=hold)
    assert process.stdout is not None
    assert "step_started\n" in iter(process.stdout.readline, "")
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.split()) == (ExitCode.INTERRUPTED, ["run_finished", "cancelled"])
    assert_gone(run_id)


def test_a_module_that_would_go_on_for_minutes_is_ended_with_its_wrapper(
    whole_lab: Lab, hold: Path, tmp_path: Path
) -> None:
    process, run_id = wrapper(tmp_path, "immediate", playbook=hold)
    assert process.stdout is not None
    assert "step_started\n" in iter(process.stdout.readline, "")
    time.sleep(1)
    process.kill()
    process.wait()
    assert_gone(run_id, within=AT_ONCE)


def test_a_run_that_takes_too_long_is_ended_and_says_where(
    launcher: RunnerLauncher, hold: Path, tmp_path: Path
) -> None:
    catalogue = Catalogue.load()
    object.__setattr__(catalogue.get("database-failure"), "playbook", hold)
    begin, run = time.monotonic(), RunnerLauncher(catalogue).start(request(tmp_path, "immediate", timeout=20))
    next(event for event in run.events() if event.kind == "step_started")
    outcome = run.wait(20 + AT_ONCE)
    assert (outcome.status, outcome.exit_code) == (RunStatus.TIMEOUT, ExitCode.INTERRUPTED)
    assert (outcome.interrupted_step, outcome.message) == ("Hold", "out of time while: Hold")
    assert time.monotonic() - begin > 20
    assert_gone(outcome.run_id)


def test_leaving_the_block_early_cancels(launcher: RunnerLauncher, tmp_path: Path) -> None:
    with launcher.start(request(tmp_path, "immediate")) as run:
        next(run.events())
    assert run.wait(0).status is RunStatus.CANCELLED
    assert_gone(run.run_id)


class Disturbing:
    """An observer that is slow at first and then broken."""

    def __init__(self) -> None:
        self.calls = 0

    def started(self, request: RunRequest, event: RunStarted) -> None:
        time.sleep(0.3)

    def event(self, event: Event) -> None:
        self.calls += 1
        if self.calls > 2:
            raise ValueError("the disk is full")
        time.sleep(0.3)

    def finished(self, outcome: RunOutcome) -> None:
        raise ValueError("the disk is full")


class Collecting:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, request: RunRequest, event: RunStarted) -> None:
        self.told.append("started")

    def event(self, event: Event) -> None:
        self.told.append(event.kind)

    def finished(self, outcome: RunOutcome) -> None:
        self.told.append(str(outcome.status))


def test_a_slow_and_broken_observer_hurts_neither_the_run_nor_the_others(
    launcher: RunnerLauncher, tmp_path: Path
) -> None:
    others = Collecting()
    disturbed = RunnerLauncher(Catalogue.load(), observers=[Disturbing(), others])
    with disturbed.start(request(tmp_path, "immediate")) as run:
        events = list(run.events())
    assert run.wait(0).rc == 0
    complaints = [event.text for event in events if isinstance(event, Said) and "Disturbing" in event.text]
    assert complaints == ["Disturbing does not follow this run: ValueError: the disk is full"]
    assert others.told[0] == "started"
    assert others.told[-1] in {str(status) for status in DONE}


def test_a_consumer_that_is_slow_or_stops_reading_does_not_hold_up_the_run(
    launcher: RunnerLauncher, tmp_path: Path
) -> None:
    run = launcher.start(request(tmp_path))
    for event in run.events():
        time.sleep(0.5)
        if event.kind == "section_started":
            break
    assert run.wait(120).rc == 0
    assert_gone(run.run_id)


def test_streaming_does_not_block_the_loop_and_cancelling_the_task_cancels_the_run(
    launcher: RunnerLauncher, tmp_path: Path
) -> None:
    async def whole() -> tuple[list[Event], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.05)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with launcher.start(request(tmp_path, "immediate")) as run:
            events = [event async for event in run.stream()]
        ticking.cancel()
        return events, ticks

    async def cancelled() -> None:
        task = asyncio.create_task(launcher.arun(request(tmp_path, "immediate")))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    events, ticks = asyncio.run(whole())
    assert isinstance(events[-1], RunFinished)
    assert ticks > 10
    before = set(threading.enumerate())
    asyncio.run(cancelled())
    assert not [thread for thread in set(threading.enumerate()) - before if not thread.daemon]


def test_a_missing_ansible_is_one_line(whole_lab: Lab, tmp_path: Path) -> None:
    """No interpreter, and one without Ansible."""
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    for python, words in ((tmp_path / "no/python", "not found"), (bare / "bin/python", "'ansible' is missing")):
        outcome = RunnerLauncher(Catalogue.load(), python=str(python)).run(request(tmp_path, "immediate"))
        assert (outcome.status, outcome.exit_code) == (RunStatus.BROKEN, ExitCode.INFRASTRUCTURE)
        assert outcome.rc == 127
        assert words in outcome.message
        assert "\n" not in outcome.message
        assert_gone(outcome.run_id)


def test_a_mistyped_section_or_host_is_never_green(launcher: RunnerLauncher, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean immediate"):
        launcher.start(request(tmp_path, "imediate"))
    outcome = launcher.run(request(tmp_path, target="nowhere"))
    assert (outcome.status, outcome.exit_code) == (RunStatus.REFUSED, ExitCode.USAGE)
    assert "nowhere" in outcome.message


def test_it_runs_from_every_folder_and_for_every_configuration_there(
    launcher: RunnerLauncher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ``ansible.cfg`` of a folder that one happens to stand in changes nothing."""
    (tmp_path / "ansible.cfg").write_text("[defaults]\nstdout_callback = minimal\nforks = x\n", encoding="utf-8")
    for folder in ("/", str(tmp_path)):
        monkeypatch.chdir(folder)
        outcome = launcher.run(request(tmp_path, "immediate"))
        assert outcome.rc == 0, outcome.message
        assert str(Catalogue.load().collection.root / "playbooks/database-failure.yml") in outcome.next


def test_without_approval_a_change_is_not_waited_for(launcher: RunnerLauncher, tmp_path: Path) -> None:
    """Runner gives Ansible a terminal; a question at it would be waited for until the end of days."""
    variables = {"dhakacart_approval_required": True}
    asked = request(tmp_path, "resolution", branch="restart-pods", variables=variables, timeout=120)
    outcome = launcher.run(asked)
    assert outcome.status is RunStatus.FAILED
    assert not outcome.changed


CANARIES = {
    "AWS_SECRET_ACCESS_KEY": "canary/aws/wJalrXUtnFEMI7MDENG",
    "AWS_ACCESS_KEY_ID": "AKIACANARY0CANARY0CA",
    "PGPASSWORD": "canary-pg-hunter2-hunter2",
    "DHAKACART_X_PASSWORD": "canary-x-hunter2-hunter2",
    "HTTP_PROXY": "http://me:canary-proxy-hunter2@127.0.0.1:9",
    "GITHUB_TOKEN": "ghp_canary0canary0canary0canary0canary0",
}
# What a playbook sees of the environment, in a task's answer: the canaries must get in and not out.
PROBE = """
- name: Database failure | Immediate
  hosts: localhost
  gather_facts: false
  tags: [immediate]
  tasks:
    - name: Look
      ansible.builtin.command:
        argv: ["{{ ansible_playbook_python }}", "-c", "%s"]
      changed_when: false
      register: looked
    - name: Tell
      ansible.builtin.debug:
        msg: "{{ looked.stdout }} {{ lookup('env', 'DHAKACART_X_PASSWORD') }}"
    - name: Wait to be looked at
      ansible.builtin.pause:
        seconds: 2
"""
LOOK = (
    "import boto3, os; c = boto3.Session().get_credentials();"
    " print('boto3', len(c.secret_key), c.access_key[:4], 'GITHUB_TOKEN' in os.environ)"
)


def test_secrets_of_the_environment_reach_ansible_and_nothing_else(
    whole_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked for, while it runs, in every file of the private folder, in every argument list, and in every event."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DHAKACART_LAB", NAME)
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(tmp_path / "state"))
    playbook = tmp_path / "probe.yml"
    playbook.write_text(PROBE % LOOK, encoding="utf-8")
    catalogue = Catalogue.load()
    object.__setattr__(catalogue.get("database-failure"), "playbook", playbook)
    looking = Looking()
    looking.start()
    with RunnerLauncher(catalogue).start(request(tmp_path, "immediate")) as run:
        texts = [json.dumps(event.to_json()) for event in run.events()]
    looking.stop()
    said = "\n".join(texts)
    assert "boto3 30 AKIA False" in said, said
    assert looking.files > 3
    assert looking.arguments > 3
    assert not looking.found
    kept = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    for name, value in CANARIES.items():
        secret = value.partition("me:")[2].partition("@")[0] or value
        assert secret not in said, name
        assert not [text for text in kept if secret in text], name


class Looking(threading.Thread):
    """Reads, over and over, whatever could hold a secret."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.files, self.arguments, self.found = 0, 0, set[str]()
        self._stop_it = threading.Event()

    def stop(self) -> None:
        self._stop_it.set()
        self.join()

    def run(self) -> None:
        while not self._stop_it.is_set():
            for folder in folders():
                with contextlib.suppress(FileNotFoundError):  # files come and go while they are looked for
                    for path in folder.rglob("*"):
                        self.files += self._look(path)
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                self.arguments += self._look(path)
            for pid in (path.name for path in Path("/proc").glob("[0-9]*")):
                self._look_at_environment(pid)

    def _look(self, path: Path) -> int:
        try:
            if not stat.S_ISREG(path.lstat().st_mode):  # the FIFO is in the kernel, and reading it would take it away
                return 0
            content = path.read_bytes()
        except OSError:
            return 0
        self.found |= {f"{name} in {path}" for name, value in CANARIES.items() if value.encode() in content}
        return 1

    def _look_at_environment(self, pid: str) -> None:
        """Ansible's own process must not show them either; what it starts inherits them, as it must."""
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            content = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return
        if b"child.py" in command:
            self.found |= {f"{name} in environ" for name, value in CANARIES.items() if value.encode() in content}


@pytest.mark.timeout(180)
def test_an_installed_wheel_runs_an_installed_collection(whole_lab: Lab, tmp_path: Path) -> None:
    """Nothing of the checkout is on the way: its folder is neither the current one nor on a path."""
    scripts = Path(sys.executable).parent
    build = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    build.pop("PYTHONPATH", None)
    done = {"check": True, "env": build, "stdout": subprocess.DEVNULL, "timeout": 120}
    wheels, collections = tmp_path / "wheels", tmp_path / "collections"
    subprocess.run(
        [scripts / "uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", wheels, ROOT], **done
    )
    (wheel,) = wheels.glob("*.whl")
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, site], **done)
    subprocess.run([scripts / "ansible-galaxy", "collection", "build", "--output-path", tmp_path], **done, cwd=ROOT)
    (archive,) = tmp_path.glob("dhakacart-runbooks-*.tar.gz")
    install = ["collection", "install", "--no-deps", "--collections-path", collections, archive]
    subprocess.run([scripts / "ansible-galaxy", *install], **done, cwd=tmp_path)
    environment = {
        **build,
        "PYTHONPATH": str(site),  # comes before the editable install of the checkout
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "DHAKACART_LAB": NAME,
        "DHAKACART_COLLECTION": "",
    }
    shown = "import dhakacart_runbooks as d; from dhakacart_runbooks.collection import Collection as C; c = C.find()"
    program = f"{shown}\nprint(d.__file__, c.root, c.checkout)\n{PROGRAM}"
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "incidents"), "", "immediate"],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    where, *_told, status = ran.stdout.splitlines()
    assert where.startswith(str(site)), ran.stderr
    assert where.endswith(f"{collections / 'ansible_collections/dhakacart/runbooks'} False")
    assert status in {str(one) for one in DONE}, ran.stderr
    assert ran.returncode in (0, 2)
