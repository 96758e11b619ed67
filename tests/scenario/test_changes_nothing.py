# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare run and a --check run change nothing: not the database, not Kubernetes, not AWS, not the lab."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from dhakacart_lab import process
from dhakacart_lab.digest import digest
from dhakacart_lab.faults.catalogue import FAULTS, inject
from dhakacart_lab.lab import LATE_COMPONENTS, Lab

from tests.scenario.conftest import Runbook


@pytest.fixture
def still_lab(lab: Lab) -> Iterator[Lab]:
    """The lab without customers: nothing moves by itself."""
    process.stop(lab.layout, "shopper")
    time.sleep(1)
    yield lab
    process.start_python(lab.layout, "shopper", LATE_COMPONENTS["shopper"])


def test_the_digest_sees_each_kind_of_change(still_lab: Lab) -> None:
    """Otherwise equal digests would prove nothing."""
    before = digest(still_lab)
    with still_lab.cluster.connect() as database:
        database.execute("update products set name = name || '!' where id = 1")
    still_lab.kubernetes.api.patch(
        "horizontalpodautoscalers",
        "dhakacart-backend-hpa",
        {"spec": {"maxReplicas": 49}},
        namespace=still_lab.layout.namespace,
    )
    after = digest(still_lab)
    assert {part for part in before if before[part] != after[part]} == {"database", "kubernetes"}
    with still_lab.cluster.connect() as database:
        database.execute("update products set name = rtrim(name, '!') where id = 1")


def test_a_bare_run_changes_nothing(still_lab: Lab, runbook: Runbook) -> None:
    before = digest(still_lab)
    run = runbook()
    assert run.code == 0, run.out
    assert digest(still_lab) == before
    assert not runbook.incidents.exists()


@pytest.mark.parametrize("name", ["endpoint-stale", "runaway-query", "disk-full", "application-pool-dead"])
def test_check_changes_nothing_and_says_what_it_would_do(name: str, still_lab: Lab, runbook: Runbook) -> None:
    fault = inject(still_lab, name, lease=600)
    time.sleep(max(fault.settle, 8))
    before = digest(still_lab)
    run = runbook("immediate,resolution", "--check")
    assert "would be" in run.out, run.out
    assert f"Branch: {fault.branch}," in run.out, run.out
    assert run.code == 0, run.out
    assert digest(still_lab) == before
    assert not runbook.incidents.exists()


def test_check_of_a_failover_changes_nothing(still_lab: Lab, runbook: Runbook) -> None:
    """The database is dead, so its digest is read from the standby: nobody may have promoted it."""
    inject(still_lab, "primary-killed", lease=600)
    time.sleep(FAULTS["primary-killed"].settle)
    before = (still_lab.cluster.roles(), still_lab.aws.facts_digest())
    run = runbook("immediate,resolution", "--check")
    assert run.code == 0, run.out
    assert "Branch: failover," in run.out
    assert (still_lab.cluster.roles(), still_lab.aws.facts_digest()) == before
    assert still_lab.cluster.standby().in_recovery()
