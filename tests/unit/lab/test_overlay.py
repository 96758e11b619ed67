# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab that plays staging has the inventory of staging, with addresses and clock of the lab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from dhakacart_lab import overlay
from dhakacart_lab.layout import LabError, Layout, read_layout

ROOT = Path(__file__).resolve().parents[3]
# What staging says itself, and how the lab's inventory finds its lab.
NOT_OVERLAID = {
    "dhakacart_lab",
    "ansible_connection",
    "ansible_python_interpreter",
    "dhakacart_env",
    "dhakacart_drillable",
    "dhakacart_approval_required",
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(name="t", folder=tmp_path, subnet=77, lab_id="t-1", environment="staging")


def of_lab() -> dict[str, Any]:
    text = (ROOT / "inventories/lab/group_vars/all/environment.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_it_sets_what_the_inventory_of_the_lab_sets_and_nothing_of_the_environment(layout: Layout) -> None:
    assert overlay.variables(layout).keys() == of_lab().keys() - NOT_OVERLAID


def test_values_are_those_of_the_inventory_of_the_lab(layout: Layout) -> None:
    mine = overlay.variables(layout)
    for name, value in of_lab().items():
        if name in NOT_OVERLAID:
            continue
        if isinstance(value, str) and value.startswith("{{ dhakacart_lab."):
            found: Any = layout.describe()
            for key in value.strip("{} ").split(".")[1:]:
                found = found[key]
            assert mine[name] == found, name
        elif isinstance(value, str):
            assert mine[name] == value.replace("dhakacart-lab", "dhakacart-staging"), name
        else:
            assert mine[name] == value, name


def test_it_is_for_the_host_of_staging(layout: Layout) -> None:
    overlay.write(layout)
    mine = yaml.safe_load((layout.inventory / "hosts.yml").read_text())["all"]["children"]["primary"]["hosts"]
    theirs = yaml.safe_load((ROOT / "inventories/staging/hosts.yml").read_text())["all"]["children"]["primary"]["hosts"]
    assert mine == theirs
    assert yaml.safe_load((layout.inventory / "group_vars/all/lab.yml").read_text()) == overlay.variables(layout)


def test_names_follow_from_what_it_plays_and_survive_the_lab_file(layout: Layout) -> None:
    assert layout.db_instance == "dhakacart-staging-postgresql"
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    assert read_layout(layout.folder) == layout


def test_a_lab_file_that_plays_something_else_is_refused(layout: Layout) -> None:
    layout.lab_file.write_text(json.dumps({**layout.describe(), "environment": "prod"}), encoding="utf-8")
    with pytest.raises(LabError, match="environment 'prod'"):
        read_layout(layout.folder)
