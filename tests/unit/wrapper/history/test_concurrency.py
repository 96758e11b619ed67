# SPDX-License-Identifier: GPL-3.0-or-later
"""Many processes at once."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

from dhakacart_runbooks.history import History, RunRow

PROCESSES, OPENINGS = 8, 5


def write(number: int, all_there: Barrier) -> None:
    all_there.wait(60)
    for one in range(OPENINGS):
        with History.open() as history:
            history.record(
                RunRow(id=f"{number}-{one}", runbook="x", started=time.time(), status="healthy", finished=1.0)
            )


def test_processes_that_make_the_history_and_write_at_once_lose_no_run(home: Path) -> None:
    # Forked, so that they have imported everything and really begin at once.
    context = multiprocessing.get_context("fork")
    all_there = context.Barrier(PROCESSES)
    processes = [context.Process(target=write, args=(number, all_there)) for number in range(PROCESSES)]
    assert not home.exists(), "the first of them makes it"
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    with History.open() as history:
        found = {run.id for run in history.runs()}
    assert found == {f"{number}-{one}" for number in range(PROCESSES) for one in range(OPENINGS)}
