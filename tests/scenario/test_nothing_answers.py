# SPDX-License-Identifier: GPL-3.0-or-later
"""With a system, or all of them, dead or hanging: every section ends in its budget, with a finding and no traceback."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from dhakacart_lab import edge, process
from dhakacart_lab.lab import Lab

from tests.scenario.conftest import Run, Runbook

READING = "symptoms,immediate,investigation,prevention"
# Six readings at the most, each with a deadline of 12 s, and the start of Ansible.
LONGEST = 90


def cut_database(lab: Lab) -> None:
    edge.set_mode(lab.layout, "primary", "drop")
    edge.set_mode(lab.layout, "replica", "drop")


def refuse_database(lab: Lab) -> None:
    edge.set_mode(lab.layout, "primary", "down")
    edge.set_mode(lab.layout, "replica", "down")


def send(component: str, number: signal.Signals) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        found = process.find(lab.layout, component)
        assert found is not None, component
        found.send_signal(number)

    return act


def everything(*acts: Callable[[Lab], None]) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        for one in acts:
            one(lab)

    return act


TROUBLE = {
    "database-hangs": (cut_database, "primary"),
    "database-refuses": (refuse_database, "primary"),
    "redis-hangs": (lambda lab: lab.redis.freeze(), "cache"),
    "redis-refuses": (lambda lab: lab.redis.kill(), "cache"),
    "kubernetes-hangs": (send("kubernetes", signal.SIGSTOP), "Kubernetes API"),
    "kubernetes-refuses": (send("kubernetes", signal.SIGKILL), "Kubernetes API"),
    "aws-hangs": (send("aws", signal.SIGSTOP), "AWS API"),
    "aws-refuses": (send("aws", signal.SIGKILL), "AWS API"),
    "all-hang": (
        everything(
            cut_database,
            lambda lab: lab.redis.freeze(),
            send("kubernetes", signal.SIGSTOP),
            send("aws", signal.SIGSTOP),
            send("loadbalancer", signal.SIGSTOP),
        ),
        "shop",
    ),
    "all-refuse": (
        everything(
            refuse_database,
            lambda lab: lab.redis.kill(),
            send("kubernetes", signal.SIGKILL),
            send("aws", signal.SIGKILL),
            send("loadbalancer", signal.SIGKILL),
        ),
        "shop",
    ),
}


def assert_orderly(run: Run) -> None:
    assert "Traceback" not in run.out, run.out
    assert run.code in (0, 2), run.out
    assert run.seconds < LONGEST, run.out
    assert "Over its budget" not in run.out, run.out


@pytest.mark.parametrize("trouble", TROUBLE)
def test_every_section_ends_in_its_budget_and_says_what_it_could_not_read(
    trouble: str, lab: Lab, runbook: Runbook
) -> None:
    act, component = TROUBLE[trouble]
    act(lab)
    reading = runbook(READING)
    assert_orderly(reading)
    assert reading.code == 0, reading.out
    bad = [row for row in reading.out.splitlines() if row.startswith(("  critical", "  unknown"))]
    assert any(component in row for row in bad), reading.out
    assert not [row for row in reading.out.splitlines() if row.startswith("  ok ") and component in row.split(",")]
    escalation = runbook("escalation")
    assert_orderly(escalation)
    assert escalation.code == 0, escalation.out
    if not trouble.startswith("redis"):
        verification = runbook("verification")
        assert_orderly(verification)
    if trouble == "database-refuses":
        assert reading.likely_cause == "", "both servers live behind a broken path, and a restore was recommended"
    if trouble.startswith("all"):
        assert reading.likely_cause == "", "a cause was named though nothing could be read"
        resolution = runbook("resolution")
        assert_orderly(resolution)
        assert resolution.code == 2
        assert "changed" not in resolution.out.split("3 Get approval")[0]
        assert runbook("verification").code == 2
