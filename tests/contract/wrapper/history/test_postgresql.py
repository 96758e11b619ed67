# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of a team, in a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.events import RunStarted
from dhakacart_runbooks.history import DrillRow, History, HistoryObserver, RunRow, SectionRow
from dhakacart_runbooks.history import database as database_module
from dhakacart_runbooks.history.address import Address
from dhakacart_runbooks.history.database import CONNECT_SECONDS, Database
from dhakacart_runbooks.history.origin import Origin
from dhakacart_runbooks.history.schema import HEAD, REVISIONS, VERSION_TABLE, upgrade
from dhakacart_runbooks.history.tables import metadata
from dhakacart_runbooks.outcome import RunOutcome, RunStatus
from dhakacart_runbooks.request import RunRequest

from .conftest import HOST, PORT, Server

WRITER = """
import sys, time
from dhakacart_runbooks.history import History, RunRow
number = sys.argv[1]
sys.stdin.readline()
for one in range(5):
    with History.open() as history:
        history.record(RunRow(id=f"{number}-{one}", runbook="x", started=time.time(), status="healthy", finished=1.0))
"""


def make_run(name: str, **values: object) -> RunRow:
    now = time.time()
    row = RunRow(id=name, runbook="database-failure", started=now - 5, **asdict(Origin.here()))
    return replace(row, **{"status": "healthy", "finished": now, **values})  # type: ignore[arg-type]


def refusal() -> str:
    with pytest.raises(InfrastructureError) as refused:
        History.open()
    said = str(refused.value)
    assert "\n" not in said
    assert f"history {HOST}:{PORT}/history: " in said
    assert "; remedy: " in said
    return said


def test_runs_sections_and_drills_come_back(server: Server) -> None:
    run = make_run("r", sections=("immediate",), check=True, approve_reason="INC-7", findings_ok=3, pid_start=2**40)
    section = SectionRow(run_id="r", section="immediate", position=0, elapsed=1.5, budget=60.0)
    drill = DrillRow(id="d", drill="x", started=1.0, figures={"detect": 1.5}, rto=2.5, run_ids=("r",), seed=2**40)
    with History.open() as history:
        history.record(run, [section])
        history.record(run, [section])
        history.add_drill(drill)
    with History.open() as history:
        assert history.run("last") == run
        assert history.sections("r") == [section]
        assert history.drills("x") == [drill]


def test_the_migrations_make_the_tables_that_the_program_uses(server: Server) -> None:
    with History.open() as history:
        database = Database(history.address)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_database_of_the_first_revision_is_upgraded(server: Server) -> None:
    database = Database(Address.find())
    with database.write() as connection:
        upgrade(connection, REVISIONS[0])
    with database.read() as connection:
        assert "drills" not in sa.inspect(connection).get_table_names()
    database.close()
    with History.open() as history:
        assert history.drills() == []


def test_a_newer_database_is_refused(server: Server) -> None:
    History.open().close()
    server.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0999'", "history")
    said = refusal()
    assert "newer version" in said and HEAD in said


def test_writers_that_start_at_once_on_an_empty_database_lose_no_run(server: Server) -> None:
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number in range(4)
    ]
    said = [writer.communicate("go\n", timeout=120)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, said
    with History.open() as history:
        assert {run.id for run in history.runs()} == {f"{number}-{one}" for number in range(4) for one in range(5)}


def test_a_run_of_another_machine_is_lost_when_it_is_silent_on_the_clock_of_the_server(server: Server) -> None:
    far = make_run("far", status="running", finished=None, host="another", boot_id="another")
    # The clock of the other machine is an hour behind: only the server's counts.
    far = replace(far, started=far.started - 3600, heartbeat=time.time() - 3600)
    with History.open() as history:
        history.record(far)
        assert history.recover() == []
        assert history.run("far").status == "running"
        server.execute("UPDATE runs SET heartbeat = heartbeat - 61", "history")
        assert history.recover() == ["far"]
        run = history.run("far")
        assert run.status == "lost"
        assert run.finished == pytest.approx(time.time() - 61, abs=10)


def test_a_run_whose_process_is_gone_is_lost(server: Server) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with History.open() as history:
        history.record(make_run("dead", status="running", finished=None, pid=process.pid, pid_start=1))
        assert history.run("dead").status == "lost"


def test_old_runs_and_drills_are_pruned(server: Server) -> None:
    with History.open() as history:
        for number in range(3):
            section = SectionRow(run_id=f"r{number}", section="x", position=0, elapsed=1.0, budget=2.0)
            history.record(make_run(f"r{number}", started=1000.0 - number, finished=1001.0), [section])
        history.add_drill(DrillRow(id="d", drill="x", started=1.0))
        pruned = history.prune(timedelta(days=1), keep_last=2)
        assert ([run.id for run in pruned.runs], pruned.drills) == (["r2"], 0)
        assert history.sections("r2") == []
        assert history.prune_if_due() is None, "what is left is among the newest"
        assert len(history.runs()) == 2


def test_the_password_is_in_nothing_that_is_shown(server: Server) -> None:
    server.passfile.write_text(f"{HOST}:*:*:runbook:not-the-password\n")
    try:
        said = refusal()
        assert "password authentication failed" in said
        assert "~/.pgpass" in said
        assert "not-the-password" not in said
    finally:
        server.passfile.write_text(f"{HOST}:*:*:runbook:{server.password}\n")


def test_a_database_that_does_not_exist(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAKACART_HISTORY_URL", server.url("nothing"))
    with pytest.raises(InfrastructureError, match=r'database "nothing" does not exist; remedy: .*createdb'):
        History.open()


def test_a_role_that_may_not_make_tables(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server.execute(f"CREATE ROLE guest LOGIN PASSWORD '{server.password}'")
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"{HOST}:*:*:guest:{server.password}\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    monkeypatch.setenv("DHAKACART_HISTORY_URL", server.url().replace("runbook@", "guest@"))
    try:
        said = refusal()
        assert "permission denied" in said
        assert "GRANT" in said
    finally:
        server.execute("DROP ROLE guest")


def test_a_server_that_is_down_is_one_line_at_once(server: Server) -> None:
    server.stop()
    begun = time.monotonic()
    said = refusal()
    assert "refused" in said
    assert time.monotonic() - begun < CONNECT_SECONDS


def test_a_server_that_is_frozen_is_one_line_within_the_deadline(server: Server) -> None:
    server.signal(signal.SIGSTOP)
    begun = time.monotonic()
    said = refusal()
    assert "timeout" in said
    assert time.monotonic() - begun < CONNECT_SECONDS + 3


def test_a_server_that_freezes_later_is_one_line_within_the_deadline(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "ANSWER_SECONDS", 1.0)
    with History.open() as history:
        server.signal(signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(InfrastructureError, match=r"did not answer within 1 s; remedy: "):
            history.record(make_run("a"))
        assert time.monotonic() - begun < 1 + CONNECT_SECONDS + 3, "cut, and one try to connect again"
        server.signal(signal.SIGCONT)
        history.record(make_run("b"))
        assert history.run("b").id == "b"


def test_a_run_during_an_outage_is_entered_when_the_server_is_back(server: Server) -> None:
    request = RunRequest("database-failure")
    started = RunStarted(run_id="a", runbook=request.runbook, sections=(), inventory="lab", check=False)
    outcome = RunOutcome(run_id="a", request=request, status=RunStatus.FAILED, rc=2, started=1.0, finished=2.0)
    server.stop()
    observer = HistoryObserver(collection_version="")
    observer.started(request, started)
    with pytest.raises(InfrastructureError, match="refused"):
        observer.finished(outcome)
    server.start()
    with History.open() as history:
        assert history.run("a").status == "failed"


def test_a_history_that_loses_its_server_goes_on_when_the_server_is_back(server: Server) -> None:
    with History.open() as history:
        history.record(make_run("before"))
        server.stop()
        with pytest.raises(InfrastructureError):
            history.record(make_run("during"))
        server.start()
        history.record(make_run("after"))
        assert {run.id for run in history.runs()} == {"before", "after"}


def test_columns_are_not_words_of_sql(server: Server) -> None:
    with History.open() as history:
        history.record(make_run("a", user="rahim", check=True))
    with psycopg.connect(
        host=HOST, port=PORT, user="runbook", password=server.password, dbname="history"
    ) as connection:
        assert connection.execute("SELECT username, check_mode FROM runs").fetchone() == ("rahim", True)
