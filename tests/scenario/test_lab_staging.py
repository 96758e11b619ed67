# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab plays staging: the same commands as in earnest, with its inventory laid over the one of staging."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_lab.faults.catalogue import heal, inject
from dhakacart_lab.lab import Lab
from dhakacart_lab.shopper.record import outages, read

from tests.scenario.conftest import ROOT, Run, Runbook

NAME = "rehearsal"


@pytest.fixture(scope="module")
def staging(lab_home: Path) -> Iterator[Lab]:
    lab = Lab.up(NAME, plays="staging")
    yield lab
    lab.down()


@pytest.fixture
def inventories(staging: Lab) -> list[str]:
    return ["-i", "inventories/staging", "-i", str(staging.layout.inventory)]


def drill_target(*options: str, stats: bool = False) -> Run:
    """``playbooks/drill-target.yml`` as a drill runs it."""
    environment = {**os.environ, "NO_COLOR": "1", "ANSIBLE_SHOW_CUSTOM_STATS": "1" if stats else "0"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    if stats:
        environment |= {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"}
    argv = ["ansible-playbook", "playbooks/drill-target.yml", *options]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return Run(done.returncode, done.stdout if stats else done.stdout + done.stderr, 0.0)


def test_the_runbook_of_staging_recovers_a_killed_primary_with_approval(
    staging: Lab, inventories: list[str], runbook: Runbook
) -> None:
    begin = time.time()
    inject(staging, "primary-killed", lease=600)
    time.sleep(1)
    opened = runbook("immediate", *inventories)
    assert opened.code == 0, opened.out
    assert "dhakacart-staging us-west-2" in opened.out
    assert list(runbook.incidents.glob("*-staging-database-failure"))
    refused = runbook("resolution", *inventories)
    assert refused.code == 2
    assert "not approved, nothing was changed" in refused.out
    assert staging.cluster.standby().in_recovery()
    resolved = runbook("resolution", *inventories, "-e", "approve=true")
    assert resolved.code == 0, resolved.out
    assert "Branch: failover," in resolved.out
    verified = runbook("verification", *inventories)
    assert verified.code == 0, verified.out
    time.sleep(2)
    (outage,) = outages(read(staging.layout), begin)
    assert outage.seconds is not None
    heal(staging)


def test_the_target_says_what_it_is_to_a_drill(staging: Lab, inventories: list[str]) -> None:
    answer = drill_target(*inventories, stats=True)
    assert answer.code == 0, answer.out
    report = json.loads(answer.out[answer.out.index("\n{\n") :])  # the findings stand before it
    assert report["global_custom_stats"]["dhakacart_drill_target"] == {
        "environment": "staging",
        "drillable": {"kubernetes": True, "database": True, "rds": True},
        "lab_id": staging.layout.lab_id,
        "agreed": True,
    }


@pytest.mark.parametrize("options", [[], ["--check"], ["--tags", "symptoms"]])
def test_no_option_leaves_the_question_out(staging: Lab, inventories: list[str], options: list[str]) -> None:
    staging.kubernetes.api.patch(
        "namespaces", "dhakacart", {"metadata": {"labels": {"dhakacart.com/environment": "production"}}}
    )
    try:
        refused = drill_target(*inventories, *options)
    finally:
        staging.kubernetes.api.patch(
            "namespaces", "dhakacart", {"metadata": {"labels": {"dhakacart.com/environment": "staging"}}}
        )
    assert refused.code == 2, refused.out
    assert "says it is production" in refused.out
    assert "this must not be drilled: identity.kubernetes" in refused.out


def test_an_inventory_of_another_environment_is_no_target(staging: Lab) -> None:
    refused = drill_target("-i", "inventories/lab", "-e", f'{{"dhakacart_lab": {staging.layout.lab_file.read_text()}}}')
    assert refused.code == 2, refused.out
    assert "says it is staging, the inventory says lab" in refused.out
