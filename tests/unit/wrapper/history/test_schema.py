# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables are brought to the newest revision, by whoever comes first."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from dhakacart_runbooks.errors import ExitCode, InfrastructureError
from dhakacart_runbooks.history import History
from dhakacart_runbooks.history.address import Address
from dhakacart_runbooks.history.database import Database
from dhakacart_runbooks.history.schema import HEAD, MIGRATIONS, REVISIONS, VERSION_TABLE, upgrade
from dhakacart_runbooks.history.tables import metadata

RUN_OF_0001 = """
INSERT INTO runs (id, started, finished, heartbeat, status, rc, exit_code, runbook, sections, check_mode,
  approve_reason, pid, pid_start, changed, environment, inventory, target, branch, username, host, boot_id,
  pid_namespace, record, likely_cause, next, message, interrupted_step, wrapper_version, collection_version,
  findings_ok, findings_unknown, findings_warning, findings_critical)
VALUES ('old', 1.0, 2.0, 2.0, 'healthy', 0, 0, 'high-traffic', '["immediate"]', 0, NULL,
  1, 1, 0, 'lab', 'lab', '', '', 'rahim', 'h', '', '', '', '', '', '', '', '', '', 3, 0, 0, 0)
"""


def make_revision(revision: str) -> Path:
    """A database as the version of that revision left it."""
    address = Address.find()
    database = Database(address)
    with database.write() as connection:
        upgrade(connection, revision)
    database.close()
    assert address.file
    return address.file


def test_the_known_revisions_are_those_that_are_shipped() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    shipped = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(shipped)) == REVISIONS


def test_the_migrations_make_the_tables_that_the_program_uses(history: History) -> None:
    database = Database(history.address)
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "target_metadata": metadata}
        )
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_database_of_the_first_revision_keeps_its_rows() -> None:
    file = make_revision(REVISIONS[0])
    with sqlite3.connect(file) as raw:
        raw.execute(RUN_OF_0001)
        raw.execute("INSERT INTO sections VALUES ('old', 0, 'immediate', 4.5, 60.0, 'cause', 'next')")
        assert raw.execute("SELECT name FROM sqlite_master WHERE name = 'drills'").fetchall() == []
    with History.open() as history:
        run = history.run("old")
        assert (run.user, run.sections, run.findings["ok"]) == ("rahim", ("immediate",), 3)
        assert [section.elapsed for section in history.sections("old")] == [4.5]
        assert history.drills() == []
    with sqlite3.connect(file) as raw:
        assert raw.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall() == [(HEAD,)]


def test_a_database_of_a_newer_version_is_refused_in_one_line_and_left_alone(history: History) -> None:
    assert history.address.file
    with sqlite3.connect(history.address.file) as raw:
        raw.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0999'")
    with pytest.raises(InfrastructureError) as refused:
        History.open()
    said = str(refused.value)
    assert "newer version" in said and "0999" in said and HEAD in said
    assert str(history.address.file) in said and "pip install --upgrade" in said
    assert refused.value.exit_code is ExitCode.INFRASTRUCTURE


def test_an_upgrade_that_fails_midway_leaves_everything_as_it_was() -> None:
    file = make_revision(REVISIONS[0])
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE prunings (x INTEGER)")  # in the way of the second half of 0002
    with pytest.raises(InfrastructureError, match="already exists"):
        History.open()
    with sqlite3.connect(file) as raw:
        assert raw.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall() == [(REVISIONS[0],)]
        assert raw.execute("SELECT name FROM sqlite_master WHERE name = 'drills'").fetchall() == []


def test_a_current_database_is_opened_without_alembic(history: History) -> None:
    code = """
import sys
from dhakacart_runbooks.history import History
with History.open() as history:
    history.runs()
print([name for name in sys.modules if name.split(".")[0] == "alembic"])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=child())
    assert said.stdout.strip() == "[]"


def test_the_package_is_imported_without_sqlalchemy() -> None:
    code = """
import sys
import dhakacart_runbooks.history
import dhakacart_runbooks.cli.history
print([name for name in sys.modules if name.split(".")[0] in ("sqlalchemy", "alembic", "psycopg")])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=child())
    assert said.stdout.strip() == "[]"


def test_a_history_in_a_folder_with_odd_signs_is_made(tmp_path: Path) -> None:
    file = tmp_path / "50% of #1 ?" / "a history.db"
    with History.open(str(file)) as history:
        assert history.runs() == []
    assert file.exists()


def child() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": ":".join(sys.path)}
