# SPDX-License-Identifier: GPL-3.0-or-later
"""Both servers: the simulated one, always, and a real control plane where there is one.

That is the provider ``control-plane`` where its programs are there, or any cluster that may be written to and has no
nodes: ``DHAKACART_CONFORMANCE_KUBECONFIG`` names its kubeconfig, with the contexts ``lab`` and ``lab-readonly``.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes.control_plane.binaries import find_binaries
from dhakacart_lab.kubernetes.control_plane.provider import ControlPlane
from dhakacart_lab.kubernetes.providers.base import Provider
from dhakacart_lab.kubernetes.providers.simulated import Simulated
from dhakacart_lab.layout import LabError, Layout

from .cases import wires
from .scenario import Kube, namespaced
from .wire import Wire

SUBNET, REAL_SUBNET = 160, 161
CREDENTIALS = ("db-admin", "db-app", "db-replication", "redis-token", "kube-admin-token", "kube-readonly-token")
REAL = "DHAKACART_CONFORMANCE_KUBECONFIG"
Servers = dict[str, tuple[Wire, Wire]]


@contextlib.contextmanager
def served(provider: type[Provider], subnet: int) -> Iterator[tuple[Wire, Wire]]:
    """A server without nodes."""
    folder = Path(tempfile.mkdtemp(prefix="conformance-", dir="/var/tmp"))
    layout = Layout(name="c", folder=folder, subnet=subnet, lab_id=f"c-{secrets.token_hex(4)}")
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    layout.credentials.mkdir(mode=0o700)
    for name in CREDENTIALS:
        (layout.credentials / name).write_text(secrets.token_urlsafe(16), encoding="utf-8")
    found = provider(layout)
    try:
        found.start()
        yield wires(layout.kubeconfig)
    finally:
        found.stop()
        process.end(process.all_of(layout.lab_id), timeout=2)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def simulated_wires() -> Iterator[tuple[Wire, Wire]]:
    with served(Simulated, SUBNET) as found:
        yield found


@pytest.fixture(scope="session")
def real_wires() -> Iterator[tuple[Wire, Wire]]:
    if kubeconfig := os.environ.get(REAL):
        yield wires(Path(kubeconfig))
        return
    try:
        find_binaries()
    except LabError as error:
        pytest.skip(f"no real control plane; its recorded answers hold the simulated one ({error})")
    with served(ControlPlane, REAL_SUBNET) as found:
        yield found


@pytest.fixture(params=["simulated", "real"])
def servers(request: pytest.FixtureRequest) -> tuple[str, Wire, Wire]:
    """(which, the administrator's way to it, the reader's)."""
    wire, reader = request.getfixturevalue(f"{request.param}_wires")
    return request.param, wire, reader


@pytest.fixture
def kube(servers: tuple[str, Wire, Wire]) -> Iterator[Kube]:
    """A fresh namespace of either server."""
    yield from namespaced(servers[1], servers[2])
