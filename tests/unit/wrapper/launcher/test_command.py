# SPDX-License-Identifier: GPL-3.0-or-later
"""A request is said to Ansible in the same words as a person would, and in the same way from every folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.launcher import command
from dhakacart_runbooks.request import RunRequest

ROOT = Path(__file__).resolve().parents[4]
CHECKOUT = Collection(ROOT, "1.0.0", checkout=True)


def test_a_checkout_is_run_by_its_path_and_nothing_of_the_variables_is_in_the_arguments() -> None:
    request = RunRequest("database-failure", ("immediate", "resolution"), variables={"a": "hunter2"}, check=True)
    assert command.arguments(request, Catalogue(CHECKOUT), Path("/private/variables.json")) == [
        str(ROOT / "playbooks/database-failure.yml"),
        "-i",
        str(ROOT / "inventories/lab"),
        "--tags",
        "immediate,resolution",
        "--check",
        "-e",
        "@/private/variables.json",
    ]


def test_an_installed_collection_is_run_by_its_full_name_and_overlays_come_last(tmp_path: Path) -> None:
    installed = Catalogue(Collection(ROOT, "1.0.0", checkout=False))
    request = RunRequest("database-failure", inventory="staging", overlays=(str(tmp_path),))
    words = command.arguments(request, installed, Path("/v"))
    assert words[0] == "dhakacart.runbooks.database_failure"
    assert words[1:5] == ["-i", str(ROOT / "inventories/staging"), "-i", str(tmp_path)]
    assert "--tags" not in words


def test_extra_variables_say_what_was_asked_for_and_no_more() -> None:
    assert command.extra_variables(RunRequest("x"), "id") == {"dhakacart_run_id": "id"}
    whole = RunRequest("x", target="dr", branch="failover", approve="INC-7", incident="i", variables={"a": 1})
    assert command.extra_variables(whole, "id") == {
        "a": 1,
        "dhakacart_run_id": "id",
        "dhakacart_incident": "i",
        "approve": True,
        "dhakacart_approval_reason": "INC-7",
        "branch": "failover",
        "dhakacart_target": "dr",
    }


def test_variables_cannot_pose_as_another_run_or_an_approval_reason() -> None:
    request = RunRequest("x", approve="mine", variables={"dhakacart_run_id": "other", "dhakacart_approval_reason": "y"})
    found = command.extra_variables(request, "id")
    assert (found["dhakacart_run_id"], found["dhakacart_approval_reason"]) == ("id", "mine")


def test_a_typing_error_in_a_host_or_inventory_is_never_green(tmp_path: Path) -> None:
    found = command.settings(CHECKOUT, "id", tmp_path, {})
    assert found["ANSIBLE_HOST_PATTERN_MISMATCH"] == "error"
    assert found["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] == "True"
    assert found["DHAKACART_RUN_ID"] == "id"
    assert found["ANSIBLE_LOCAL_TEMP"] == str(tmp_path / "tmp")


def test_the_configuration_never_comes_from_the_current_folder_by_accident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, private = tmp_path / "here", tmp_path / "private"
    here.mkdir()
    (here / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(command, "OWN_CONFIGURATIONS", ("~/.ansible.cfg",))
    root = tmp_path / "ansible_collections/dhakacart/runbooks"
    installed = Collection(root, "1.0.0", checkout=False)
    assert command.settings(CHECKOUT, "id", private, {})["ANSIBLE_CONFIG"] == str(ROOT / "ansible.cfg")
    assert command.settings(installed, "id", private, {})["ANSIBLE_CONFIG"] == str(private / "ansible.cfg")
    (tmp_path / ".ansible.cfg").touch()
    assert command.settings(installed, "id", private, {})["ANSIBLE_CONFIG"] == str(tmp_path / ".ansible.cfg")
    chosen = {"ANSIBLE_CONFIG": "/mine.cfg"}
    assert command.settings(CHECKOUT, "id", private, chosen)["ANSIBLE_CONFIG"] == "/mine.cfg"


def test_a_persons_own_collections_are_found_after_the_one_that_is_run(tmp_path: Path) -> None:
    found = command.settings(CHECKOUT, "id", tmp_path, {"ANSIBLE_COLLECTIONS_PATH": "/mine"})
    assert found["ANSIBLE_COLLECTIONS_PATH"] == f"{ROOT / '.collections'}:/mine"
