# SPDX-License-Identifier: GPL-3.0-or-later
"""One real control plane for these tests. Its programs are found, never built: a test must not take minutes of a
compiler."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes.control_plane.binaries import find_binaries
from dhakacart_lab.kubernetes.control_plane.provider import ControlPlane
from dhakacart_lab.layout import LabError, Layout

SUBNET = 157
CREDENTIALS = ("db-admin", "db-app", "db-replication", "redis-token", "kube-admin-token", "kube-readonly-token")


def eventually(what: str, probe: Callable[[], Any], *, timeout: float = 20.0) -> Any:
    """The first true answer of ``probe``; fails with its last answer after ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while not (answer := probe()):
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {timeout:.0f} s, last answer {answer!r}")
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="session")
def _programs() -> None:
    try:
        find_binaries()
    except LabError as error:
        pytest.skip(f"no programs of a control plane: {error}")


@pytest.fixture(scope="session")
def running(_programs: None) -> Iterator[ControlPlane]:
    """Started, with both nodes; whole again at the start of each test that asks for ``cluster``."""
    folder = Path(tempfile.mkdtemp(prefix="control-plane-contract-", dir="/var/tmp"))
    lab_id = f"t-{secrets.token_hex(4)}"
    layout = Layout(name="t", folder=folder, subnet=SUBNET, lab_id=lab_id, provider="control-plane")
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    layout.credentials.mkdir(mode=0o700)
    for name in CREDENTIALS:
        (layout.credentials / name).write_text(secrets.token_urlsafe(16), encoding="utf-8")
    found = ControlPlane(layout)
    try:
        found.up([])
        yield found
        found.down()
        assert process.all_of(layout.lab_id) == []
    finally:
        process.end(process.all_of(layout.lab_id), timeout=3)
        shutil.rmtree(folder)


@pytest.fixture
def cluster(running: ControlPlane) -> ControlPlane:
    running.up([])
    return running
