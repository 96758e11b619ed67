# SPDX-License-Identifier: GPL-3.0-or-later
"""A real primary and standby for the contract tests, on loopback addresses of their own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

PASSWORD = "check-contract"
PORT = 5432


def binaries() -> Path:
    """The folder of PostgreSQL's programs; the test is skipped where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if program := shutil.which("initdb"):
        return Path(program).parent
    pytest.skip("no PostgreSQL server programs on this machine")


@dataclass
class Server:
    """One PostgreSQL server and its data folder."""

    host: str
    data: Path
    passfile: Path

    def start(self) -> None:
        run("pg_ctl", "-D", str(self.data), "-w", "-t", "20", "-l", str(self.data / "server.log"), "start")

    def stop(self) -> None:
        self.signal(signal.SIGCONT)
        run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop", check=False)

    @property
    def pid(self) -> int | None:
        file = self.data / "postmaster.pid"
        return int(file.read_text().splitlines()[0]) if file.exists() else None

    def signal(self, number: signal.Signals) -> None:
        """To the postmaster and all its children, as a frozen machine would have it."""
        if (pid := self.pid) is None:
            return
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):  # a session may have ended meanwhile
                os.kill(process, number)

    def connect(
        self, user: str = "dhakacart_admin", application_name: str = "test", dbname: str = "dhakacart"
    ) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=self.host,
            port=PORT,
            dbname=dbname,
            user=user,
            password=PASSWORD,
            application_name=application_name,
            autocommit=True,
        )


def run(program: str, *arguments: str, check: bool = True) -> None:
    """Runs one of PostgreSQL's programs, as the user postgres when root."""
    identity: dict[str, object] = {}
    if os.geteuid() == 0:
        entry = pwd.getpwnam("postgres")
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    ended = subprocess.run(
        [str(binaries() / program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        **identity,  # type: ignore[call-overload]
    )
    if check and ended.returncode:
        raise RuntimeError(f"{program}: {ended.stdout}{ended.stderr}")


def make_cluster(subnet: int) -> tuple[Path, Server, Server]:
    """A primary with a synchronous standby; returns the folder, which the caller removes, and the two."""
    folder = Path(tempfile.mkdtemp(prefix="dhakacart-checks-", dir="/var/tmp"))
    folder.chmod(0o755)
    servers = folder / "servers"
    servers.mkdir()
    if os.geteuid() == 0:
        entry = pwd.getpwnam("postgres")
        os.chown(servers, entry.pw_uid, entry.pw_gid)
    passfile = folder / "pgpass"
    hosts = [f"127.{subnet}.0.{number}" for number in (11, 12)]
    passfile.write_text("".join(f"{host}:{PORT}:*:*:{PASSWORD}\n" for host in hosts))
    passfile.chmod(0o600)
    primary = Server(hosts[0], servers / "a", passfile)
    standby = Server(hosts[1], servers / "b", passfile)
    password = servers / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    run(
        "initdb",
        *("-D", str(primary.data), "-U", "postgres", "-A", "scram-sha-256", "--no-sync", f"--pwfile={password}"),
    )
    with (primary.data / "postgresql.conf").open("a") as configuration:
        configuration.write(
            f"port={PORT}\nunix_socket_directories=''\nfsync=off\nmax_connections=20\n"
            "superuser_reserved_connections=2\nlog_lock_waits=on\nwal_keep_size=64MB\n"
        )
    with (primary.data / "pg_hba.conf").open("a") as access:
        access.write("host all all 127.0.0.0/8 scram-sha-256\nhost replication all 127.0.0.0/8 scram-sha-256\n")
    _listen(primary)
    primary.start()
    with primary.connect("postgres", dbname="postgres") as admin:
        admin.execute("CREATE DATABASE dhakacart")
        admin.execute(f"CREATE ROLE dhakacart_admin LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_monitor, pg_signal_backend")
        admin.execute(f"CREATE ROLE dhakacart LOGIN PASSWORD '{PASSWORD}'")
    connection = f"host={primary.host} port={PORT} user=postgres password={PASSWORD} application_name=standby"
    run("pg_basebackup", "-d", connection, "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast")
    _listen(standby)
    with (standby.data / "postgresql.auto.conf").open("a") as configuration:
        configuration.write(f"primary_conninfo='{connection}'\n")
    standby.start()
    with primary.connect("postgres", dbname="postgres") as admin:
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        admin.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            states = admin.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchall()
            if states:
                return folder, primary, standby
            time.sleep(0.05)
    raise RuntimeError("the standby did not become synchronous")


def _listen(server: Server) -> None:
    with (server.data / "postgresql.conf").open("a") as configuration:
        configuration.write(f"listen_addresses='{server.host}'\n")
