# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory says, read by a real ansible-inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.doctor import inventory
from dhakacart_runbooks.doctor.check import State
from dhakacart_runbooks.request import RunRequest


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def read(catalogue: Catalogue, path: Path, text: str, **more: str) -> inventory.Read:
    path.write_text(text, encoding="utf-8")
    return inventory.read(catalogue, RunRequest("triage", inventory=str(path), **more))  # type: ignore[arg-type]


def test_the_hosts_of_a_run_are_named(catalogue: Catalogue, tmp_path: Path) -> None:
    found = read(catalogue, tmp_path / "hosts.yml", "primary: {hosts: {shop: {dhakacart_bastion: b.example}}}")
    assert (found.check.state, found.hosts) == (State.OK, ("shop",))
    assert found.variables is not None
    assert "b.example" in inventory.place(found.variables).detail


def test_a_group_below_the_group_counts(catalogue: Catalogue, tmp_path: Path) -> None:
    text = "primary: {children: {west: {hosts: {shop: {}}}}}"
    assert read(catalogue, tmp_path / "hosts.yml", text).hosts == ("shop",)


def test_an_inventory_without_the_group_is_bad_and_says_which_group(catalogue: Catalogue, tmp_path: Path) -> None:
    found = read(catalogue, tmp_path / "hosts.yml", "web: {hosts: {shop: {}}}")
    assert found.check.state is State.BAD
    assert "'primary'" in found.check.detail
    assert found.variables is None
    assert read(catalogue, tmp_path / "hosts.yml", "web: {hosts: {shop: {}}}", target="web").hosts == ("shop",)


def test_a_malformed_inventory_is_bad_in_one_line(catalogue: Catalogue, tmp_path: Path) -> None:
    found = read(catalogue, tmp_path / "hosts.yml", "primary: [")
    assert found.check.state is State.BAD
    assert "\n" not in found.check.detail
