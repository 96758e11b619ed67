# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what an inventory says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.doctor import inventory
from dhakacart_runbooks.doctor.check import State
from dhakacart_runbooks.request import RunRequest


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def test_an_inventory_that_hangs_is_unknown(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_args: object, **_kwargs: object) -> None:
        raise subprocess.TimeoutExpired("ansible-inventory", 60)

    monkeypatch.setattr(inventory.subprocess, "run", hangs)
    assert inventory.read(catalogue, RunRequest("triage")).check.state is State.UNKNOWN


def test_without_a_bastion_checks_run_here() -> None:
    assert "controller" in inventory.place({}).detail


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("{{ inventory_dir }}/../../incidents", State.OK),
        ("/proc/nothing", State.BAD),
        ("{{ somewhere }}/incidents", State.UNKNOWN),
        ("", State.BAD),
    ],
)
def test_the_incident_folder_must_be_writable(tmp_path: Path, said: str, state: State) -> None:
    home = tmp_path / "inventories/lab"
    home.mkdir(parents=True)
    path, check = inventory.incidents({"dhakacart_incident_dir": said}, home)
    assert check.state is state
    if state is State.OK:
        assert path == tmp_path / "incidents"


def test_what_the_preflight_said_is_the_detail() -> None:
    check = inventory.values("dhakacart_db_host: is not set; remedy: set it")
    assert (check.state, check.detail, check.remedy) == (State.BAD, "dhakacart_db_host: is not set", "set it")
    assert inventory.values("").state is State.OK
