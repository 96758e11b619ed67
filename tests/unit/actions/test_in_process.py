# SPDX-License-Identifier: GPL-3.0-or-later
"""The same module in the controller's process, and over SSH when there is a bastion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.action import autoscaler_hold, platform_facts
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import Denied
from ansible_collections.dhakacart.runbooks.plugins.modules import autoscaler_hold as hold_module
from ansible_collections.dhakacart.runbooks.plugins.modules import platform_facts as facts_module

Run = Callable[..., dict[str, Any]]
Work = Callable[[Mapping[str, Any], bool], dict[str, Any]]
ARGS = {"connection": {"namespace": "shop"}, "autoscaler": "hpa"}
HELD = {"changed": True, "after": {"minReplicas": 7, "maxReplicas": 7}, "undo": "kubectl patch"}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    def put(function: Work) -> None:
        monkeypatch.setattr(autoscaler_hold.ActionModule, "work", staticmethod(function))

    return put


def test_an_action_takes_the_options_of_its_module() -> None:
    assert autoscaler_hold.ActionModule.ARGUMENT_SPEC is hold_module.ARGUMENT_SPEC
    assert platform_facts.ActionModule.ARGUMENT_SPEC is facts_module.ARGUMENT_SPEC


def test_what_was_held_is_said_with_its_undo(run: Run, work: Callable[[Work], None], printed: list[str]) -> None:
    seen = []

    def hold(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
        seen.append((options["state"], check_mode))
        return HELD

    work(hold)
    assert run(autoscaler_hold, ARGS) == HELD
    assert seen == [("held", False)]
    assert printed == ["  held at 7 to 7   undo: kubectl patch"]


def test_in_check_mode_it_would_be_held(run: Run, work: Callable[[Work], None], printed: list[str]) -> None:
    seen = []

    def release(_options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
        seen.append(check_mode)
        return HELD

    work(release)
    run(autoscaler_hold, {**ARGS, "state": "released"}, check_mode=True)
    assert seen == [True]
    assert printed == ["  would be released at 7 to 7   undo: kubectl patch"]


def test_what_cannot_be_done_is_said_and_is_a_failure(
    run: Run, work: Callable[[Work], None], printed: list[str]
) -> None:
    def denied(_options: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        raise Denied("HTTP 403", where="kubernetes", remedy="check its role")

    work(denied)
    result = run(autoscaler_hold, ARGS)
    assert result == {"failed": True, "changed": False, "msg": "kubernetes: HTTP 403; remedy: check its role"}
    assert printed == ["  not held: kubernetes: HTTP 403; remedy: check its role"]


def test_a_bug_is_not_turned_into_a_message(run: Run, work: Callable[[Work], None]) -> None:
    def broken(_options: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        raise ZeroDivisionError

    work(broken)
    with pytest.raises(ZeroDivisionError):
        run(autoscaler_hold, ARGS)


def test_on_a_bastion_it_runs_as_a_module(
    run: Run, work: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[dict[str, Any]] = []

    def execute(_self: object, **keywords: Any) -> dict[str, Any]:
        called.append(keywords)
        return {"changed": False}

    monkeypatch.setattr(autoscaler_hold.ActionModule, "_execute_module", execute)
    work(lambda _options, _check_mode: pytest.fail("ran on the controller"))
    run(autoscaler_hold, ARGS, transport="ssh")
    assert [call["module_name"] for call in called] == ["dhakacart.runbooks.autoscaler_hold"]
    assert called[0]["module_args"] == ARGS
