# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that is shown can be pasted, and reaches the same environment."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.sections import SECTIONS, clock, command


@pytest.mark.parametrize(
    ("variables", "tail"),
    [
        ({}, ""),
        ({"inventory_dir": None}, ""),
        ({"inventory_dir": "/x/inventories/lab"}, ""),
        ({"inventory_dir": "/x/inventories/staging"}, " -i inventories/staging"),
        ({"inventory_dir": "/etc/dhakacart"}, " -i /etc/dhakacart"),
        ({"inventory_dir": "/etc/lab"}, " -i /etc/lab"),
        ({"inventory_dir": "/my files/hosts"}, " -i '/my files/hosts'"),
        (
            {
                "inventory_dir": "/x/inventories/staging",
                "ansible_inventory_sources": ["/x/inventories/staging", "/l/o"],
            },
            " -i inventories/staging -i /l/o",
        ),
        ({"ansible_inventory_sources": ["/x/inventories/lab", "/l/o"]}, " -i inventories/lab -i /l/o"),
        ({"dhakacart_target": "dr"}, " -e dhakacart_target=dr"),
        ({"dhakacart_target": "dr:!x"}, " -e 'dhakacart_target=dr:!x'"),
        (
            {"inventory_dir": "/x/inventories/production", "dhakacart_target": "dr"},
            " -i inventories/production -e dhakacart_target=dr",
        ),
    ],
)
def test_a_command_names_the_inventory_and_the_target(variables: dict[str, Any], tail: str) -> None:
    assert command("x", "immediate", variables) == f"ansible-playbook playbooks/x.yml --tags immediate{tail}"


def test_a_command_can_be_pasted_where_the_run_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "playbooks").mkdir()
    variables = {"inventory_dir": f"{tmp_path}/inventories/staging", "playbook_dir": f"{tmp_path}/playbooks"}
    monkeypatch.chdir(tmp_path)
    assert command("a-b", "immediate", variables).split()[1:] == shlex.split(
        "playbooks/a-b.yml --tags immediate -i inventories/staging"
    )
    monkeypatch.chdir("/")
    assert command("a-b", "immediate", variables).split()[1:] == shlex.split(
        f"{tmp_path}/playbooks/a-b.yml --tags immediate -i {tmp_path}/inventories/staging"
    )


def test_a_run_of_the_installed_collection_goes_on_by_its_name() -> None:
    variables = {"inventory_dir": "/ops/lab", "playbook_dir": "/usr/ansible_collections/dhakacart/runbooks/playbooks"}
    assert command("a-b", "immediate", variables) == (
        "ansible-playbook dhakacart.runbooks.a_b --tags immediate -i /ops/lab"
    )


def test_what_is_added_stands_last() -> None:
    variables = {"inventory_dir": "/x/inventories/staging"}
    assert command("x", "resolution", variables, "-e approve=true").endswith("-i inventories/staging -e approve=true")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (4.9, "0:04"), (60, "1:00"), (299.9, "4:59"), (2700, "45:00")]
)
def test_a_clock_shows_minutes_and_seconds(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_every_section_has_a_budget() -> None:
    assert all(section.budget > 0 and section.tag == tag for tag, section in SECTIONS.items())
