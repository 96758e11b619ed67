# SPDX-License-Identifier: BSD-2-Clause
"""Run several calls at once, each with its own deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import NoAnswer


@dataclass(frozen=True)
class Job:
    """A call and the seconds it may take."""

    call: Callable[[], Any]
    deadline: float


@dataclass(frozen=True)
class Outcome:
    """What a job gave: a value, or the error that stands for it; and the seconds it took."""

    value: Any
    error: Exception | None
    seconds: float


def gather(jobs: Mapping[str, Job]) -> dict[str, Outcome]:
    """Run all jobs at once; returns when the last one has ended or is past its deadline.

    A job past its deadline becomes a NoAnswer. Its thread is a daemon and is left behind: a call that hangs in a
    driver cannot be cancelled, and must not keep the process alive (which is why this is no ThreadPoolExecutor:
    the interpreter joins that one's threads at exit).
    """
    outcomes: dict[str, Outcome] = {}
    begin = time.monotonic()
    lock = threading.Lock()

    def work(name: str, job: Job) -> None:
        value, error = None, None
        try:
            value = job.call()
        except Exception as caught:
            error = caught
        with lock:
            outcomes[name] = Outcome(value, error, time.monotonic() - begin)

    threads = {}
    for name, job in jobs.items():
        threads[name] = threading.Thread(target=work, args=(name, job), name=f"gather-{name}", daemon=True)
        threads[name].start()
    for name, job in jobs.items():
        threads[name].join(max(0.0, job.deadline - (time.monotonic() - begin)))
    with lock:
        finished = dict(outcomes)
    for name, job in jobs.items():
        if name not in finished:
            late = NoAnswer(f"no answer within {job.deadline:g} s")
            finished[name] = Outcome(None, late, time.monotonic() - begin)
    return finished
