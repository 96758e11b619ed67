# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers for the contract tests of the checks."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator

import pytest

from .postgres_servers import Server, make_cluster

SUBNET = 77


@pytest.fixture(scope="session")
def cluster() -> Iterator[tuple[Server, Server]]:
    """A primary and its synchronous standby."""
    folder, primary, standby = make_cluster(SUBNET)
    try:
        yield primary, standby
    finally:
        for server in (primary, standby):
            server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def servers(cluster: tuple[Server, Server]) -> Iterator[tuple[Server, Server]]:
    """The same, thawed and started again after the test."""
    yield cluster
    for server in cluster:
        server.signal(signal.SIGCONT)
        if server.pid is None:
            server.start()
