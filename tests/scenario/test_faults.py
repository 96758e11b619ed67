# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault: the investigation names its true cause, the resolution recovers it, nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from dhakacart_lab.faults.catalogue import FAULTS, inject
from dhakacart_lab.lab import Lab
from dhakacart_lab.layout import LabError
from dhakacart_lab.shopper.record import Attempt, acknowledged, lost_attempts, outages, read

from tests.scenario.conftest import Runbook

RTO_SECONDS = 300
RPO_SECONDS = 60
# In which faults the shopper must have seen an outage: there the scenario proves an RTO, not only an exit code.
BREAK_ORDERS = frozenset(FAULTS) - {"standby-lag", "standby-gone", "replication-broken", "runaway-query"}


def broken(lab: Lab, name: str) -> float:
    """Inject the fault and wait until its symptoms can be read; when it was injected."""
    begin = time.time()
    try:
        fault = inject(lab, name, lease=600)
    except LabError as error:
        if "cannot run here" in str(error):
            pytest.skip(str(error))
        raise
    time.sleep(fault.settle)
    return begin


def lost_orders(lab: Lab) -> list[Attempt]:
    """Orders that were acknowledged and are not in the database."""
    with lab.cluster.connect() as database:
        return lost_attempts(read(lab.layout), database)


def keep_figures(name: str, figures: dict[str, object]) -> None:
    """Append the measured figures to the file named by DHAKACART_FIGURES, for the table of faults."""
    if path := os.environ.get("DHAKACART_FIGURES"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"fault": name, **figures}) + "\n")


def swapped(lab: Lab, cause: str) -> list[str]:
    """After the shop was given the other endpoint the names are the other way round, as the page says."""
    if cause not in ("endpoint_stale", "database_moved"):
        return []
    endpoints = lab.layout.endpoints
    return [
        "-e",
        f"dhakacart_db_host={endpoints['replica'].host}",
        "-e",
        f"dhakacart_db_replica_host={endpoints['primary'].host}",
    ]


@pytest.mark.parametrize("name", FAULTS)
def test_the_true_cause_is_named_and_the_branch_recovers_it(name: str, lab: Lab, runbook: Runbook) -> None:
    fault = FAULTS[name]
    lost_before = {attempt.id for attempt in lost_orders(lab)}
    start = broken(lab, name)
    opened = runbook("immediate")
    assert opened.code == 0, opened.out
    investigated = runbook("investigation")
    assert investigated.code == 0, investigated.out
    assert investigated.likely_cause == fault.cause, investigated.out
    before = runbook("verification")
    assert before.code == 2, "verification passed while it was still broken:\n" + before.out
    resolved = runbook("resolution")
    if fault.branch is None:
        assert resolved.code == 2
        assert "no branch resolves" in resolved.out
        keep_figures(name, {"cause": investigated.likely_cause, "branch": None})
        return
    assert resolved.code == 0, resolved.out
    assert f"Branch: {fault.branch}," in resolved.out
    verified = runbook("verification", *swapped(lab, fault.cause))
    assert verified.code == 0, verified.out
    time.sleep(2)
    attempts = read(lab.layout)
    seen = [outage for outage in outages(attempts, start) if outage.start < start + 60]
    missing = [attempt for attempt in lost_orders(lab) if attempt.id not in lost_before]
    rpo = max((start - attempt.finished for attempt in missing), default=0.0)
    keep_figures(
        name,
        {
            "cause": investigated.likely_cause,
            "branch": fault.branch,
            "rto_seconds": round(max((o.seconds or 0 for o in seen), default=0), 1),
            "resolution_seconds": round(resolved.seconds, 1),
            "rpo_seconds": round(rpo, 1),
            "lost": len(missing),
            "acknowledged": len(acknowledged(attempts)),
        },
    )
    assert rpo < RPO_SECONDS
    assert missing == [] or fault.branch == "restore", "acknowledged orders were lost though the standby was in sync"
    assert all(outage.seconds is not None and outage.seconds < RTO_SECONDS for outage in seen)
    if name in BREAK_ORDERS:
        assert seen, "the fault broke nothing that a customer could see"


def test_a_dead_primary_is_failed_over_where_no_read_replica_can_be_asked(lab: Lab, runbook: Runbook) -> None:
    """The platform's default: a Multi-AZ standby that nobody can see. AWS must have lost the primary, too."""
    unseen = ["-e", "dhakacart_db_replica_host="]
    broken(lab, "primary-killed")
    early = runbook("resolution", *unseen)
    assert early.code == 2, "failed over on our word alone:\n" + early.out
    time.sleep(18)
    investigated = runbook("investigation", *unseen)
    assert investigated.likely_cause == "primary_down_unseen_standby", investigated.out
    resolved = runbook("resolution", *unseen)
    assert resolved.code == 0, resolved.out
    verified = runbook("verification", *unseen)
    assert verified.code == 0, verified.out


def test_a_healthy_lab_has_no_cause_and_nothing_to_resolve(lab: Lab, runbook: Runbook) -> None:
    bare = runbook()
    assert bare.code == 0, bare.out
    assert bare.likely_cause == ""
    refused = runbook("resolution")
    assert refused.code == 2
    assert "no cause is confirmed" in refused.out
    verified = runbook("verification")
    assert verified.code == 0, verified.out
