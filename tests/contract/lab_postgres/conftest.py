# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cluster for the tests of this folder: made once, put back in order after each test."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_lab.layout import Layout
from dhakacart_lab.postgres import Cluster

SUBNET = int(os.environ.get("DHAKACART_TEST_SUBNET", "152"))


def make_layout(folder: Path, subnet: int = SUBNET) -> Layout:
    """A lab folder with its lab file and credentials."""
    layout = Layout(name="t", folder=folder, subnet=subnet, lab_id=f"t-{secrets.token_hex(4)}")
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    layout.credentials.mkdir(mode=0o700)
    for name in ("db-admin", "db-app", "db-replication", "redis-token"):
        path = layout.credentials / name
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    return layout


@pytest.fixture(scope="package")
def layout() -> Iterator[Layout]:
    # pytest's own folder is closed to the user who runs PostgreSQL. The blank: paths go through shells.
    folder = Path(tempfile.mkdtemp(prefix="dhakacart lab ", dir="/var/tmp"))
    folder.chmod(0o755)
    made = make_layout(folder)
    yield made
    Cluster(made).destroy()
    shutil.rmtree(folder)


@pytest.fixture(scope="package")
def made_cluster(layout: Layout) -> Cluster:
    cluster = Cluster(layout)
    cluster.up()
    with cluster.connect(user="app") as connection:
        connection.execute("CREATE TABLE orders (id serial PRIMARY KEY, note text, at timestamptz DEFAULT now())")
    return cluster


@pytest.fixture
def cluster(made_cluster: Cluster) -> Iterator[Cluster]:
    yield made_cluster
    made_cluster.reset()
