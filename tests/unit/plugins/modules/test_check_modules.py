# SPDX-License-Identifier: GPL-3.0-or-later
"""The check modules as Ansible runs them, with the reading replaced."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError

PLUGINS = "ansible_collections.dhakacart.runbooks.plugins"
MODULES = {
    "http_check": ("http", {"url": "http://shop.example"}),
    "kubernetes_workload_check": ("kubernetes", {}),
    "postgresql_check": ("postgresql", {"host": "db.example"}),
    "rds_check": ("rds", {"region": "us-west-2", "instance": "db"}),
    "redis_check": ("redis", {"host": "cache.example"}),
}


def run(name: str, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    with patch_module_args({**MODULES[name][1], **options}), pytest.raises(SystemExit) as ended:
        module.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    result["rc"] = ended.value.code
    return result


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every system answers as it does when healthy."""
    for name in [system for system, options in MODULES.values()]:
        facts = json.loads((Path(__file__).parents[1] / "module_utils" / name / "healthy.json").read_text())
        monkeypatch.setattr(f"{PLUGINS}.module_utils.{name}.facts.read", lambda settings, facts=facts: facts)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("check_mode", [False, True])
def test_it_answers_with_findings_and_changes_nothing(
    name: str, check_mode: bool, answered: None, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(name, capsys, _ansible_check_mode=check_mode)
    assert (result["rc"], result["changed"]) == (0, False)
    assert result["findings"] and result["facts"]
    assert result["healthy"] == (result["status"] == "ok")


@pytest.mark.parametrize("name", MODULES)
def test_a_system_that_cannot_be_read_is_data_and_fails_only_when_asked(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(f"{PLUGINS}.module_utils.{MODULES[name][0]}.facts.read", lambda settings: {})
    result = run(name, capsys)
    assert (result["rc"], result["status"], result["healthy"]) == (0, "unknown", False)


def test_fail_on_fails_at_that_status_and_still_returns_the_findings(
    answered: None, capsys: pytest.CaptureFixture[str]
) -> None:
    thresholds = {"latency_warning_seconds": 0}
    assert run("http_check", capsys, thresholds=thresholds)["rc"] == 0
    assert run("http_check", capsys, thresholds=thresholds, fail_on="critical")["rc"] == 0
    failed = run("http_check", capsys, thresholds=thresholds, fail_on="warning")
    assert failed["rc"] == 1
    assert "http.latency" in failed["msg"]
    assert failed["findings"]


def test_options_that_make_no_sense_fail_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(settings: Any) -> None:
        raise ConfigurationError("no such file", where="/nowhere", remedy="name one")

    monkeypatch.setattr(f"{PLUGINS}.module_utils.postgresql.facts.read", refuse)
    result = run("postgresql_check", capsys)
    assert (result["rc"], result["msg"]) == (1, "/nowhere: no such file; remedy: name one")


@pytest.mark.parametrize("name", MODULES)
def test_documentation_and_options_are_the_same(name: str) -> None:
    system_name = MODULES[name][0]
    fragment_name = {"http": "shop_http"}.get(system_name, system_name)
    arguments = importlib.import_module(f"{PLUGINS}.module_utils.{system_name}.arguments").ARGUMENTS
    fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment_name}").ModuleDocFragment.DOCUMENTATION
    documented = yaml.safe_load(fragment)["options"]
    assert documented.keys() == arguments.keys()
    for option, spec in arguments.items():
        assert documented[option].get("default") == spec.get("default"), option
    suboptions = documented["thresholds"]["suboptions"]
    assert {key: value["default"] for key, value in suboptions.items()} == {
        key: value["default"] for key, value in arguments["thresholds"]["options"].items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_settings_and_options_are_the_same(name: str) -> None:
    import dataclasses

    arguments = importlib.import_module(f"{PLUGINS}.module_utils.{MODULES[name][0]}.arguments")
    fields = {field.name: field.default for field in dataclasses.fields(arguments.Settings)}
    assert fields.keys() == arguments.ARGUMENTS.keys() - {"thresholds"}
    for option, default in fields.items():
        assert arguments.ARGUMENTS[option].get("default") in (default, None), option
