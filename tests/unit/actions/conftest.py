# SPDX-License-Identifier: GPL-3.0-or-later
"""Run an action plugin as a task would, without a playbook, and read what a person would."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import console

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that were shown, without colour."""
    lines: list[str] = []
    monkeypatch.setattr(console.display, "display", lambda text, **_kwargs: lines.append(text))
    return lines


@pytest.fixture
def run(printed: list[str]) -> Run:
    """``run(plugin, args, variables, check_mode=False)``: the result of the action ``plugin.ActionModule``."""

    def apply(
        plugin: types.ModuleType,
        args: Mapping[str, Any],
        variables: Mapping[str, Any] | None = None,
        *,
        check_mode: bool = False,
        transport: str = "local",
    ) -> dict[str, Any]:
        task = Task()
        task.action = f"dhakacart.runbooks.{plugin.__name__.rpartition('.')[2]}"
        task.args = dict(args)
        task.check_mode = check_mode
        loader = DataLoader()
        shell = types.SimpleNamespace(tmpdir=None)
        connection = types.SimpleNamespace(transport=transport, _shell=shell, has_pipelining=False)
        action = plugin.ActionModule(
            task=task,
            connection=connection,
            play_context=types.SimpleNamespace(),
            loader=loader,
            templar=Templar(loader=loader, variables=dict(variables or {})),
            shared_loader_obj=None,
        )
        result: dict[str, Any] = action.run(task_vars=dict(variables or {}))
        return result

    return apply


@pytest.fixture
def finding() -> Callable[..., dict[str, Any]]:
    """``finding(id, status, **evidence)`` as platform_facts returns it."""

    def make(name: str, status: str = "ok", **evidence: Any) -> dict[str, Any]:
        return {
            "id": name,
            "component": name.partition(".")[2],
            "status": status,
            "summary": f"{name} is {status}",
            "evidence": evidence,
            "likely_cause": "",
            "next_step": "",
        }

    return make
