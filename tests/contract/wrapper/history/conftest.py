# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL for the history, on a loopback address of its own; the password is in libpq's passfile only."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from dhakacart_lab.postgres.account import find_account
from dhakacart_lab.postgres.binaries import find_binaries

HOST, PORT = "127.153.0.10", 54329


@dataclass(frozen=True)
class Server:
    """One server without replication."""

    folder: Path
    password: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def passfile(self) -> Path:
        return self.folder / "pgpass"

    def url(self, database: str = "history", port: int = PORT) -> str:
        return f"postgresql://runbook@{HOST}:{port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's programs, to its end."""
        ended = subprocess.run(
            [str(find_binaries().path(program)), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            **find_account().popen_options(),
        )
        if ended.returncode:
            raise RuntimeError(f"{program}: {ended.stdout}{ended.stderr}")

    def start(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-w", "-t", "30", "-l", str(self.data / "log"), "start")

    def stop(self) -> None:
        self.signal(signal.SIGCONT)
        with contextlib.suppress(RuntimeError):  # it is not running
            self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def signal(self, number: signal.Signals) -> None:
        """To the postmaster and its children, as a frozen machine would have it."""
        file = self.data / "postmaster.pid"
        if not file.exists():
            return
        pid = int(file.read_text().splitlines()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(
            host=HOST, port=PORT, user="runbook", password=self.password, dbname=database, autocommit=True
        ) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="package")
def made_server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="dhakacart-history-", dir="/var/tmp"))
    folder.chmod(0o755)
    server = Server(folder, secrets.token_urlsafe(16))
    account = find_account()
    account.make_folder(server.data)
    initial = folder / "initial"
    account.write(initial, server.password)
    try:
        server.run(
            "initdb",
            *("-D", str(server.data), "-U", "runbook", "-A", "scram-sha-256", "--no-sync", f"--pwfile={initial}"),
        )
        with (server.data / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses='{HOST}'\nport={PORT}\nunix_socket_directories=''\nfsync=off\n")
        with (server.data / "pg_hba.conf").open("a") as access:
            access.write("host all all 127.0.0.0/8 scram-sha-256\n")
        server.start()
        server.passfile.write_text(f"{HOST}:*:*:runbook:{server.password}\n")
        server.passfile.chmod(0o600)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def server(made_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server with an empty database ``history``, which the environment names."""
    made_server.execute("CREATE DATABASE history")
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DHAKACART_HISTORY_URL", made_server.url())
    monkeypatch.setenv("PGPASSFILE", str(made_server.passfile))
    yield made_server
    made_server.signal(signal.SIGCONT)
    if not (made_server.data / "postmaster.pid").exists():
        made_server.start()
    made_server.execute("DROP DATABASE history WITH (FORCE)")
