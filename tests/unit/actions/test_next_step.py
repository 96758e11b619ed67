# SPDX-License-Identifier: GPL-3.0-or-later
"""What to type next, after each section and each outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.action import next_step

Run = Callable[..., dict[str, Any]]
Make = Callable[..., dict[str, Any]]

PLAYBOOK = "ansible-playbook playbooks/database-failure.yml --tags"
LIKELY = {"id": "primary_down", "branch": "failover", "next_step": ""}
ADVICE = {"id": "standby_lag", "branch": "", "next_step": "Do not fail over until the lag is below the RPO."}


@pytest.fixture
def close(run: Run) -> Run:
    """``close(section, variables, **options)``."""

    def apply(section: str, variables: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        args = {"runbook": "database-failure", "section": section, "started": time.time() - 1, **options}
        return run(next_step, args, variables)

    return apply


@pytest.mark.parametrize(
    ("section", "options", "following"),
    [
        ("symptoms", {"diagnosis": {"likely": LIKELY}}, f"{PLAYBOOK} immediate"),
        ("symptoms", {}, "nothing: no symptom of this runbook is present"),
        ("immediate", {}, f"{PLAYBOOK} investigation"),
        ("investigation", {"diagnosis": {"likely": LIKELY}}, f"{PLAYBOOK} resolution -e approve=true"),
        ("investigation", {"diagnosis": {"likely": ADVICE}}, "Do not fail over until the lag is below the RPO."),
        ("investigation", {}, "nothing: no cause was found"),
        ("resolution", {}, f"{PLAYBOOK} verification"),
        ("verification", {"recovered": True}, f"{PLAYBOOK} prevention"),
        ("verification", {"recovered": False}, f"{PLAYBOOK} escalation"),
        (
            "prevention",
            {},
            "read runbooks/emergency/database-failure.md, Prevention, for each change that closes a gap",
        ),
        ("escalation", {}, f"{PLAYBOOK} investigation"),
    ],
)
def test_every_section_says_what_comes_next(
    close: Run, printed: list[str], section: str, options: dict[str, Any], following: str
) -> None:
    result = close(section, **options)
    assert result["next"] == following
    assert printed[-1] == f"Next: {following}"


def test_something_critical_without_a_cause_leads_on(close: Run, finding: Make) -> None:
    seen = [finding("http.ready", "critical")]
    assert close("symptoms", findings=seen)["next"] == f"{PLAYBOOK} immediate"
    assert close("investigation", findings=seen)["next"] == f"{PLAYBOOK} escalation"


@pytest.mark.parametrize("section", ["symptoms", "investigation"])
def test_what_could_not_be_read_is_never_called_nothing(close: Run, finding: Make, section: str) -> None:
    seen = [finding("http.ready", "unknown"), finding("postgresql.primary", "unknown"), finding("redis.ping")]
    following = close(section, findings=seen)["next"]
    assert not following.startswith("nothing")
    assert "http.ready" in following
    assert "postgresql.primary" in following
    assert "redis" not in following


def test_a_system_that_could_not_be_asked_at_all_is_not_known_either(close: Run, finding: Make) -> None:
    following = close("investigation", findings=[finding("rds.api", "unknown", kind="denied"), finding("http.ready")])
    assert following["next"].startswith("not known, rds.api could not be read")


@pytest.mark.parametrize(
    "unread",
    [
        ("redis.hit_rate", {}),  # no cause of this runbook asks for it
        ("postgresql.standby", {"kind": "not_configured"}),
    ],
)
def test_what_no_cause_asks_for_is_not_missed(close: Run, finding: Make, unread: tuple[str, dict[str, str]]) -> None:
    name, evidence = unread
    seen = [finding("http.ready"), finding(name, "unknown", **evidence)]
    assert close("symptoms", findings=seen)["next"].startswith("nothing: ")
    assert close("investigation", findings=seen)["next"].startswith("nothing: ")


def test_of_many_that_could_not_be_read_a_few_are_named(close: Run, finding: Make) -> None:
    names = ("primary", "standby", "role", "replication", "lag", "connections", "locks")
    seen = [finding(f"postgresql.{name}", "unknown") for name in names]
    assert "postgresql.lag and 2 more could not be read" in close("symptoms", findings=seen)["next"]


def test_a_warning_alone_is_no_symptom(close: Run, finding: Make) -> None:
    assert close("symptoms", findings=[finding("http.latency", "warning")])["next"].startswith("nothing: no symptom")


def test_the_lab_asks_for_no_approval(close: Run) -> None:
    variables = {"dhakacart_approval_required": False, "inventory_dir": "/x/inventories/lab"}
    assert close("investigation", variables, diagnosis={"likely": LIKELY})["next"] == f"{PLAYBOOK} resolution"


def test_the_next_command_stays_in_the_same_environment(close: Run) -> None:
    variables = {"inventory_dir": "/x/inventories/production", "dhakacart_target": "dr"}
    following = close("investigation", variables, diagnosis={"likely": LIKELY})["next"]
    assert following == (f"{PLAYBOOK} resolution -i inventories/production -e dhakacart_target=dr -e approve=true")


def test_only_a_verdict_of_not_recovered_fails_the_section(close: Run) -> None:
    assert close("verification", recovered=False)["failed"] is True
    assert not close("verification", recovered=True).get("failed")
    assert not close("verification").get("failed")


def test_a_section_over_its_budget_says_so_and_goes_on(close: Run, printed: list[str]) -> None:
    late = close("symptoms", started=time.time() - 75)
    assert late["over_budget"] is True
    assert not late.get("failed")
    assert printed[0].endswith("symptoms took 1:15 of 1:00")
    assert printed[1] == "Over its budget by 0:15: think of escalation"
    assert close("symptoms")["over_budget"] is False


def test_machines_get_findings_cause_and_next_command_as_statistics(close: Run, finding: Make) -> None:
    seen = [finding("http.ready", "critical")]
    result = close("investigation", findings=seen, diagnosis={"likely": LIKELY})
    data = result["ansible_stats"]["data"]
    assert data["dhakacart_findings"] == seen
    (section,) = data["dhakacart_sections"]
    assert (section["section"], section["likely_cause"], section["next"]) == (
        "investigation",
        "primary_down",
        result["next"],
    )
