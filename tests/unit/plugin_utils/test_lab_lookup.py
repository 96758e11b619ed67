# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of the lab is made of the lab's own file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible_collections.dhakacart.runbooks.plugins.lookup import lab
from ansible_collections.dhakacart.runbooks.plugins.lookup.lab import lab_file
from dhakacart_lab import layout

Look = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DHAKACART_LAB_HOME", str(tmp_path))
    monkeypatch.delenv("DHAKACART_LAB", raising=False)
    return tmp_path


@pytest.fixture
def look() -> Look:
    name = "dhakacart.runbooks.lab"
    constants.config.initialize_plugin_configuration_definitions(
        "lookup", name, yaml.safe_load(lab.DOCUMENTATION)["options"]
    )

    def apply(**options: Any) -> Any:
        plugin: Any = lab.LookupModule()
        plugin._load_name = plugin.ansible_name = name  # as Ansible's loader does
        (found,) = plugin.run([], {}, **options)
        return found

    return apply


def write(home: Path, name: str, text: str) -> Path:
    path = home / name / "lab.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_lab_is_read(home: Path, look: Look) -> None:
    write(home, "default", '{"name": "default", "shop": {"url": "http://x"}}')
    assert look()["shop"]["url"] == "http://x"


def test_the_environment_chooses_another_and_the_option_a_third(
    home: Path, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("default", "blue", "green"):
        write(home, name, json.dumps({"name": name}))
    monkeypatch.setenv("DHAKACART_LAB", "blue")
    assert look()["name"] == "blue"
    assert look(name="green")["name"] == "green"


def test_a_lab_that_is_not_up_says_how_to_start_it(home: Path, look: Look) -> None:
    with pytest.raises(AnsibleLookupError, match=r"lab 'default' is not up \(.*lab.json is missing\); remedy: runbook"):
        look()


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', "7", "null"])
def test_a_file_that_is_no_lab_file_says_how_to_mend_it(home: Path, look: Look, text: str) -> None:
    path = write(home, "default", text)
    with pytest.raises(AnsibleLookupError) as raised:
        look()
    message = str(raised.value)
    assert f"{path}: not a lab file (" in message
    assert "remedy: runbook lab down, then runbook lab up" in message


def test_a_file_that_is_not_text_is_no_lab_file(home: Path, look: Look) -> None:
    write(home, "default", "").write_bytes(b"\xff\xfe")
    with pytest.raises(AnsibleLookupError, match="not a lab file"):
        look()


@pytest.mark.parametrize("uid", [0, 1000])
@pytest.mark.parametrize("variable", ["DHAKACART_LAB_HOME", "XDG_STATE_HOME", None])
def test_it_looks_where_the_lab_writes(monkeypatch: pytest.MonkeyPatch, uid: int, variable: str | None) -> None:
    for name in ("DHAKACART_LAB_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "/somewhere")
    monkeypatch.setattr("os.geteuid", lambda: uid)
    assert lab_file("blue") == layout.lab_folder("blue") / layout.LAB_FILE
