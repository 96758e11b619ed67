# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told, and what nobody must be told."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

from dhakacart_lab.aws import client
from dhakacart_lab.faults.catalogue import inject
from dhakacart_lab.lab import CREDENTIALS, Lab

from tests.scenario.conftest import Runbook


def test_escalation_tells_the_people_what_is_known(lab: Lab, runbook: Runbook) -> None:
    inject(lab, "primary-killed", lease=600)
    time.sleep(1)
    run = runbook("escalation")
    assert run.code == 0, run.out
    assert "sent" in run.out
    assert "oncall@dhakacart.com" in run.out
    with urllib.request.urlopen(f"http://{lab.layout.webhook}/notifications", timeout=5) as answer:
        text = json.dumps(json.load(answer))
    assert "The primary is down and the standby is alive" in text


def test_escalation_without_a_webhook_says_that_nothing_was_sent(lab: Lab, runbook: Runbook) -> None:
    silent = runbook("escalation", "-e", "dhakacart_notify_webhook_url=")
    assert silent.code == 0, silent.out
    assert "NOT sent" in silent.out
    dead = runbook("escalation", "-e", "dhakacart_notify_webhook_url=http://127.0.0.1:9/notify")
    assert dead.code == 0, dead.out
    assert "NOT sent" in dead.out


def test_prevention_names_each_gap_with_the_change_that_closes_it(lab: Lab, runbook: Runbook) -> None:
    run = runbook("prevention")
    assert run.code == 0, run.out
    gaps = [row for row in run.out.splitlines() if row.startswith("  missing")]
    changes = [row for row in run.out.splitlines() if row.strip().startswith("change: ")]
    assert gaps
    assert len(gaps) == len(changes)
    client(lab.layout, "rds").modify_db_instance(
        DBInstanceIdentifier=lab.layout.db_instance, DeletionProtection=False, ApplyImmediately=True
    )
    assert "missing   Protection against deletion" in runbook("prevention").out


def test_no_secret_is_in_any_output_or_evidence(lab: Lab, runbook: Runbook, tmp_path: Path) -> None:
    """Also where it is most tempting: at -vvv, after credentials were rotated, while they are being written."""
    old = {name: lab.layout.secret(name) for name in CREDENTIALS}
    inject(lab, "credentials-stale", lease=600)
    time.sleep(8)
    runs = [runbook(section, "-vvv") for section in ("immediate,investigation", "resolution", "verification")]
    assert [run.code for run in runs] == [0, 0, 0], runs[1].out[-3000:]
    kept = "".join(path.read_text(encoding="utf-8") for path in runbook.incidents.rglob("*") if path.is_file())
    assert kept
    secrets = {*old.values(), *(lab.layout.secret(name) for name in CREDENTIALS)}
    for text in (*(run.out for run in runs), kept):
        assert not [secret for secret in secrets if secret in text]
