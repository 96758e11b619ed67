# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident from the first look to the last leaves one folder that can be shown to anybody."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dhakacart_lab.faults.catalogue import FAULTS, inject
from dhakacart_lab.lab import CREDENTIALS, Lab

from tests.scenario.conftest import Runbook

SECTIONS = ("immediate", "investigation", "resolution", "verification")
# Secrets where runs meet them: a variable of the environment, a literal and a comment of a query, an error's text.
IN_ENVIRONMENT, IN_QUERY, IN_COMMENT, IN_ERROR = "c4nary-in-env-7Qx", "c4nary-literal", "c4nary-comment", "c4nary-error"
CANARIES = (IN_ENVIRONMENT, IN_QUERY, IN_COMMENT, IN_ERROR)


def the_folder(runbook: Runbook) -> Path:
    (folder,) = (path for path in runbook.incidents.iterdir() if path.is_dir())
    return folder


def timeline(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in (folder / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]


@contextmanager
def suspicious_query(lab: Lab) -> Iterator[None]:
    """A session whose query carries secrets, and one that fails with one, while the block runs."""

    def ask() -> None:
        try:
            with lab.cluster.connect() as database:
                try:
                    database.execute(f"select '{IN_ERROR}'::integer")  # type: ignore[call-overload]
                except psycopg.Error:
                    database.rollback()
                database.execute(f"select pg_sleep(600), '{IN_QUERY}' /* {IN_COMMENT} */")  # type: ignore[call-overload]
        except psycopg.Error:
            return  # ended by the failover, or below

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    time.sleep(1)
    yield
    try:
        with lab.cluster.connect() as database:
            database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%'"
            )
    except psycopg.Error:
        pass
    thread.join(timeout=10)


def secrets_of(lab: Lab) -> set[str]:
    return {*CANARIES, *(lab.layout.secret(name) for name in CREDENTIALS)}


def test_one_incident_is_one_folder_with_all_that_happened_in_its_order(lab: Lab, runbook: Runbook) -> None:
    """At -vvv, with secrets wherever they can be met, and credentials that were rotated."""
    environment = {"SHOP_API_TOKEN": IN_ENVIRONMENT}
    secrets = secrets_of(lab)
    with suspicious_query(lab):
        inject(lab, "credentials-stale", lease=600)
        time.sleep(max(FAULTS["credentials-stale"].settle, 8))
        reason = ["-e", '{"dhakacart_approval_reason": "orders fail"}']
        runs = [runbook(section, "-vvv", *reason, env=environment) for section in SECTIONS[:3]]
    runs.append(runbook("verification", "-vvv", env=environment))
    assert [run.code for run in runs] == [0, 0, 0, 0], runs[-1].out[-3000:]
    folder = the_folder(runbook)
    assert folder.name.endswith("-lab-database-failure")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    rows = timeline(folder)
    events = [row["event"] for row in rows]
    assert events[0] == "opened"
    assert [row["section"] for row in rows if row["event"] == "section"] == list(SECTIONS)
    approved = rows[events.index("approved")]
    assert approved["reason"] == "orders fail"
    assert approved["undo"]
    changed = [row for row in rows if row["event"] == "step" and row["outcome"] == "changed"]
    assert changed, "a resolution that changed nothing"
    assert all(row["title"] and row["section"] for row in changed)
    assert [row["recovered"] for row in rows if row["event"] in ("verification", "closed")] == [True, True]
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)

    opening = json.loads((folder / "opening.json").read_text(encoding="utf-8"))
    assert (opening["runbook"], opening["environment"]) == ("database-failure", "lab")
    assert opening["findings"]
    assert opening["facts"]
    assert opening["started"] < (folder / "opening.json").stat().st_mtime < min(row["time"] for row in changed)
    assert [path.name for path in sorted((folder / "sections").iterdir())] == [
        f"{number:02d}-{section}.json" for number, section in enumerate(SECTIONS, start=1)
    ]
    texts = [run.out for run in runs]
    texts += [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    for text in texts:
        assert not [secret for secret in secrets | secrets_of(lab) if secret in text]


def test_after_the_verdict_the_next_incident_has_a_folder_of_its_own(lab: Lab, runbook: Runbook) -> None:
    assert [runbook(section).code for section in ("immediate", "verification", "immediate")] == [0, 0, 0]
    folders = sorted(path for path in runbook.incidents.iterdir() if path.is_dir())
    assert len(folders) == 2
    assert [row["event"] for row in timeline(folders[0])][-2:] == ["closed", "section"]


def test_a_reading_run_of_the_wrapper_has_a_record_and_a_plain_one_has_none(lab: Lab, runbook: Runbook) -> None:
    assert runbook("investigation").code == 0
    assert not runbook.incidents.exists()
    assert runbook("investigation", "-e", "dhakacart_run_id=r1").code == 0
    folder = the_folder(runbook)
    assert [(row["event"], row["run_id"]) for row in timeline(folder)] == [("opened", "r1"), ("section", "r1")]
    assert runbook("investigation", "-e", "dhakacart_incident=nonsense").out.count("unknown incident 'nonsense'") == 1


@pytest.mark.parametrize(("section", "code"), [("immediate", 2), ("investigation", 0)])
def test_where_nothing_can_be_written_reading_goes_on_and_changing_stops(
    section: str, code: int, lab: Lab, runbook: Runbook
) -> None:
    runbook.incidents.write_text("a file where the folder should be")
    run = runbook(section, "-e", "dhakacart_run_id=r1")
    assert run.code == code, run.out
    assert run.out.count("Not a directory") == 1, run.out
    assert "Traceback" not in run.out


def test_an_approval_by_a_program_needs_a_reason(lab: Lab, runbook: Runbook) -> None:
    inject(lab, "credentials-stale", lease=600)
    time.sleep(max(FAULTS["credentials-stale"].settle, 8))
    options = ["-e", "dhakacart_run_id=r1", "-e", "approve=true", "-e", '{"dhakacart_approval_required": true}']
    silent = runbook("resolution", *options)
    assert silent.code == 2
    assert "approved without a reason, nothing was changed" in silent.out
    assert not [row for row in timeline(the_folder(runbook)) if row["event"] == "approved"]
    assert runbook("resolution", *options, "-e", "dhakacart_approval_reason=sev1").code == 0
    (approved,) = [row for row in timeline(the_folder(runbook)) if row["event"] == "approved"]
    assert (approved["reason"], approved["how"]) == ("sev1", "command line")
