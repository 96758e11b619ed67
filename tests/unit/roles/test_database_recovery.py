# SPDX-License-Identifier: GPL-3.0-or-later
"""The branches wait for what was read, and end what does the harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).resolve().parents[3] / "roles/database_recovery"


def tasks(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROLE / "tasks" / f"{name}.yml").read_text(encoding="utf-8"))
    return found


WAITS = [
    (branch.stem, task)
    for branch in sorted((ROLE / "tasks").glob("*.yml"))
    for task in tasks(branch.stem)
    if "dhakacart.runbooks.platform_facts" in task
]


def render(expression: str, variables: dict[str, Any]) -> Any:
    return Templar(loader=DataLoader(), variables=variables).template(trust_as_template("{{ " + expression + " }}"))


@pytest.mark.parametrize(("branch", "task"), WAITS, ids=[f"{branch}: {task['name']}" for branch, task in WAITS])
def test_a_wait_does_not_end_because_nothing_could_be_read(branch: str, task: dict[str, Any]) -> None:
    api = {"id": "postgresql.api", "status": "unknown"}
    gates = ["http.ready", "http.products", "kubernetes.service"]
    for findings in ([], [api], [{"id": "postgresql.primary", "status": "ok"}]):
        variables = {task["register"]: {"findings": findings}, "__database_recovery_gates": gates}
        assert render(task["until"], variables) is False, branch
    names = [
        *gates,
        "kubernetes.rollout",
        "postgresql.primary",
        "rds.storage" if branch == "storage" else "postgresql.role",
    ]
    well = [{"id": name, "status": "ok"} for name in names]
    assert render(task["until"], {task["register"]: {"findings": well}, "__database_recovery_gates": gates}) is True


@pytest.mark.parametrize(
    ("wrong", "mode"),
    [
        ({"postgresql.connections": "critical", "postgresql.locks": "critical"}, "exhaust"),
        ({"postgresql.connections": "warning", "postgresql.locks": "warning"}, "block"),
        ({"postgresql.connections": "warning", "postgresql.long_queries": "critical"}, "runaway"),
    ],
)
def test_what_is_wrong_says_which_sessions_are_ended(wrong: dict[str, str], mode: str) -> None:
    [task] = tasks("end-sessions")
    findings = [{"id": name, "status": status} for name, status in wrong.items()]
    own = {name: trust_as_template(value) if isinstance(value, str) else value for name, value in task["vars"].items()}
    asked = task["dhakacart.runbooks.postgresql_sessions_end"]["mode"].strip("{} ")
    assert render(asked, {**own, "database_recovery_findings": findings}) == mode


def test_a_restore_waits_for_the_old_name_before_it_gives_it_away() -> None:
    names = [task["name"] for task in tasks("restore")]
    aside, free = (
        names.index("Put the old instance aside under another name"),
        names.index("Wait until the old name is free"),
    )
    assert aside < free < names.index("Give the restored instance the name of the old one")
    assert names.index("Stop unless they are free") < names.index("Restore the latest point in time on a new instance")
