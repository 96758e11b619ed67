# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, find and end the processes of a lab.

A process of a lab carries the lab's id in its environment, and so does everything it starts: that, not a pid file
alone, is how ``down`` finds what a crash left behind.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from .layout import LabError, Layout

MARKER = "DHAKACART_LAB_ID"
# Seconds. A start time is counted from the machine's boot, and that moves when its clock is corrected.
CLOCK_DRIFT = 60.0
END_LOOK = 0.02  # seconds between two looks whether a process has ended


def environment(layout: Layout, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A minimal environment for a process of the lab: nothing of the caller's but PATH, HOME and locale."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if key in os.environ}
    package_root = str(Path(__file__).resolve().parent.parent)
    # safe: PYTHONPATH makes components start from a checkout that was not installed.
    return {**kept, "PYTHONPATH": package_root, MARKER: layout.lab_id, **(extra or {})}


def pid_file(layout: Layout, component: str) -> Path:
    return layout.run / f"{component}.pid"


def find(layout: Layout, component: str) -> psutil.Process | None:
    """The living process of a component, or None. A reused pid is not mistaken for it."""
    try:
        pid, started = pid_file(layout, component).read_text(encoding="utf-8").split()
        process = psutil.Process(int(pid))
        if process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - float(started)) > CLOCK_DRIFT:
            return None
        return process
    except (FileNotFoundError, ValueError, OverflowError, psutil.NoSuchProcess):
        return None


def start(
    layout: Layout, component: str, argv: Sequence[str], *, extra_env: Mapping[str, str] | None = None
) -> psutil.Process:
    """Start a component in its own session, output to ``logs/<component>.log``; the running one if there is one."""
    if running := find(layout, component):
        return running
    layout.run.mkdir(parents=True, exist_ok=True)
    layout.logs.mkdir(parents=True, exist_ok=True)
    with (layout.logs / f"{component}.log").open("ab") as log:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(layout, extra_env),
            cwd=layout.folder,
            start_new_session=True,
        )
    process = psutil.Process(child.pid)
    note(layout, component, process)
    return process


def note(layout: Layout, component: str, process: psutil.Process) -> None:
    """Write down that ``process`` is the component."""
    path = pid_file(layout, component)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.write_text(f"{process.pid} {process.create_time():.2f}\n", encoding="utf-8")
    draft.replace(path)


def start_python(
    layout: Layout, component: str, module: str, *args: str, extra_env: Mapping[str, str] | None = None
) -> psutil.Process:
    """Start ``python -m <module> <lab folder> <args…>`` as a component."""
    return start(layout, component, [sys.executable, "-m", module, str(layout.folder), *args], extra_env=extra_env)


def stop(layout: Layout, component: str, *, timeout: float = 5.0) -> None:
    """End a component: SIGTERM, then SIGKILL after ``timeout`` seconds. Nothing happens where it does not run."""
    if process := find(layout, component):
        end([process], timeout=timeout)
    pid_file(layout, component).unlink(missing_ok=True)


def end(processes: Sequence[psutil.Process], *, timeout: float) -> None:
    """SIGTERM (and SIGCONT, a stopped process would never see it), then SIGKILL."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
            process.resume()
    for process in _wait_for_end(processes, timeout):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_for_end(processes, timeout)


def _wait_for_end(processes: Sequence[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Those that have not ended within ``timeout`` seconds. One that nobody has reaped yet has: that may take long."""
    end = time.monotonic() + timeout
    while (alive := [process for process in processes if not _ended(process)]) and time.monotonic() < end:
        time.sleep(END_LOOK)
    return alive


def _ended(process: psutil.Process) -> bool:
    try:
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(0)  # reaps a child of this process
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def all_of(lab_id: str) -> list[psutil.Process]:
    """Every living process that carries the lab's id, this one excepted."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and _belongs(process, lab_id):
                found.append(process)
    return found


def inside(folder: Path) -> list[psutil.Process]:
    """Every living process of a lab whose working directory is in ``folder``; for where the lab's id cannot be read."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            # A person's shell may stand in the folder too. PostgreSQL's children hide their environment.
            ours = MARKER in process.environ() or process.name() == "postgres"
            if ours and process.pid != os.getpid() and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def _belongs(process: psutil.Process, lab_id: str) -> bool:
    if process.environ().get(MARKER) == lab_id:
        return True
    # PostgreSQL's children write their title over their environment; it begins with their cluster's name.
    return "".join(process.cmdline()[:1]).startswith(f"postgres: {lab_id}-")  # asked once: it may be ending


def wait_for(
    what: str, ready: Callable[[], bool], *, timeout: float, log: Path | None = None, interval: float = 0.05
) -> float:
    """Wait until ``ready()`` is true; the seconds it took. LabError, naming the log, after ``timeout`` seconds."""
    begin = time.monotonic()
    while not ready():
        if time.monotonic() - begin > timeout:
            where = f"; its output: {log}" if log else ""
            raise LabError(
                f"{what} was not ready after {timeout:.0f} s{where}; remedy: runbook lab down, runbook lab up"
            )
        time.sleep(interval)
    return time.monotonic() - begin
