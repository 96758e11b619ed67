# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab's AWS with the real PostgreSQL behind it, for all tests of this folder."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_lab import edge, process
from dhakacart_lab.layout import Layout

from .rig import Rig

SUBNET = 154
CREDENTIALS = ("db-admin", "db-app", "db-replication", "redis-token")


def make_layout(folder: Path) -> Layout:
    folder.chmod(0o755)  # PostgreSQL's user must get at his files
    layout = Layout(name="t", folder=folder, subnet=SUBNET, lab_id=f"t-{secrets.token_hex(4)}")
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    layout.credentials.mkdir(mode=0o700)
    for name in CREDENTIALS:
        path = layout.credentials / name
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(16), encoding="utf-8")
    return layout


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    folder = Path(tempfile.mkdtemp(prefix="lab-aws-", dir="/var/tmp"))
    layout = make_layout(folder)
    rig = Rig(layout)
    try:
        process.start_python(layout, edge.COMPONENT, edge.MODULE)
        process.start_python(layout, "postgres-agent", "dhakacart_lab.postgres.agent")
        rig.cluster.up()
        process.wait_for("edge", lambda: edge.ready(layout), timeout=15)
        rig.aws.up()
        rig.heal()
        yield rig
    finally:
        process.end(process.all_of(layout.lab_id), timeout=3)
        rig.cluster.destroy()
        shutil.rmtree(folder)


@pytest.fixture
def whole(rig: Rig) -> Iterator[Rig]:
    """The lab as after its first start, and put back to it afterwards."""
    yield rig
    rig.heal()
