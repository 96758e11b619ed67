# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending processes: one that nobody reaps has ended all the same."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
from dhakacart_lab import process

CARELESS = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def careless() -> Iterator[psutil.Process]:
    """A process whose parent never asks what became of it."""
    parent = subprocess.Popen([sys.executable, "-c", CARELESS], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    yield psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()


def test_a_process_that_nobody_reaps_is_not_waited_for(careless: psutil.Process) -> None:
    begin = time.monotonic()
    process.end([careless], timeout=10)
    assert time.monotonic() - begin < 5
    assert careless.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_ignores_the_request_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    child.stdout.readline()
    process.end([psutil.Process(child.pid)], timeout=0.3)
    assert child.wait(1) in (-9, 0)  # 0: psutil has reaped it and knows the code
    child.stdout.close()


def test_nothing_is_waited_for_where_all_have_ended() -> None:
    child = subprocess.Popen(["true"])
    found = psutil.Process(child.pid)
    child.wait()
    begin = time.monotonic()
    process.end([found], timeout=10)
    assert time.monotonic() - begin < 1
