# SPDX-License-Identifier: GPL-3.0-or-later
"""One PostgreSQL server of the lab: start it, stop it, and everything that can happen to it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import pq

from ..layout import Address, LabError, Layout
from ..process import environment, wait_for
from . import server_process
from .account import Account, check_reach, find_account
from .binaries import Binaries, prepare_binaries
from .connection import connect, deadline, query
from .disk import DEFAULT_SIZE, Disk
from .settings import HBA, Recovery, quoted, render

StopMode = Literal["smart", "fast", "immediate"]
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
START_TIMEOUT = 30.0
SPARE_SEGMENTS = 48  # what wal_keep_size holds back, and min_wal_size of files that are recycled
GRAVE = re.compile(r"FATAL:|PANIC:|could not bind")
TURNED_AWAY = re.compile(r"the database system is (starting up|not |in recovery|shutting down)")
LAUNCH = 'umask 077; "$@" &'


class Node:
    """PostgreSQL server ``a``, ``b`` or ``c``; a and b have a disk of their own where root can mount one."""

    def __init__(self, layout: Layout, name: str) -> None:
        if name not in layout.nodes:
            raise LabError(f"{name!r} is no database node; remedy: one of {', '.join(layout.nodes)}")
        self.layout = layout
        self.name = name
        self.home = layout.folder / "postgres"
        self.disk_folder = self.home / name
        self.data = self.disk_folder / "data"
        self.small_disk = Disk(self.disk_folder)
        self.log = layout.logs / f"postgres-{name}.log"
        self.title = f"{layout.lab_id}-{name}"
        self._settings = self.home / "settings"
        self._synchronous = self._settings / f"{name}.synchronous.conf"

    def __repr__(self) -> str:
        return f"Node({self.name!r} at {self.address})"

    @property
    def address(self) -> Address:
        return self.layout.nodes[self.name]

    @cached_property
    def account(self) -> Account:
        return find_account()

    @cached_property
    def binaries(self) -> Binaries:
        return prepare_binaries(self.layout, self.account)

    # --- state
    @property
    def exists(self) -> bool:
        """Whether it has a database to start."""
        return (self.data / "PG_VERSION").exists()

    def running(self) -> bool:
        """Whether its postmaster lives, frozen or not."""
        return server_process.postmaster_of(self.data) is not None

    def frozen(self) -> bool:
        """Whether its postmaster is stopped by SIGSTOP."""
        pid = server_process.postmaster_of(self.data)
        return pid is not None and server_process.is_stopped(pid)

    def accepting(self) -> bool:
        """Whether it lets clients in now; an answer within about 2 s."""
        if not self.running() or self.frozen():
            return False
        where = f"host={self.address.host} port={self.address.port} connect_timeout=2 sslmode=disable"
        return pq.PGconn.ping(where.encode()) == pq.Ping.OK

    def in_recovery(self) -> bool:
        """Whether it is a standby, or still recovering; asks the server."""
        return bool(query(self.layout, self.name, "SELECT pg_is_in_recovery()", database="postgres")[0][0])

    def processes(self) -> list[int]:
        """Pids of everything that belongs to it, orphans of a killed postmaster included."""
        return server_process.find_processes(self.data, self.title)

    def gone(self) -> bool:
        """Whether nothing of it lives. A process that just becomes another program has no command line: look twice."""
        if self.processes():
            return False
        time.sleep(server_process.POLL)
        return not self.processes()

    # --- settings
    def configure(self, *, archive_command: str, recovery: Recovery | None = None) -> None:
        """Write its configuration files. A running server reads them at ``reload()``."""
        self._settings.mkdir(parents=True, exist_ok=True)
        text = render(
            self.layout,
            self.name,
            title=self.title,
            synchronous_file=self._synchronous,
            archive_command=archive_command,
            preload=self.binaries.features,
            recovery=recovery or Recovery(),
        )
        hba = self._settings / "hba.conf"
        self.account.write(hba, HBA.format(replication=self.layout.replication_user))
        self.account.write(self._settings / f"{self.name}.conf", f"{text}hba_file = {quoted(hba)}\n")

    def synchronous_with(self, standby: str) -> None:
        """Make commits wait for the standby of this application name, or for none. Needs no connection."""
        self.account.write(self._synchronous, f"synchronous_standby_names = '{standby}'\n")
        self.reload()

    def reload(self) -> None:
        """Have the server read its configuration again; nothing where it does not run."""
        if pid := server_process.postmaster_of(self.data):
            server_process.send([pid], signal.SIGHUP)

    # --- life
    def start(self, *, wait: bool = True) -> None:
        """Start it; a running one is left alone. Raises LabError with the last words of its log when it dies."""
        if self.running() and (not wait or self._comes_up()):
            return
        if not self.exists:
            raise LabError(f"database node {self.name} has no data in {self.data}; remedy: runbook lab up")
        check_reach(self.layout, self.account)
        server_process.kill_all(self.data, self.title)
        server_process.clear_leftovers(self.data)
        self._move_shared_memory()
        self.layout.logs.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            begin = log.tell()
            # The shell ends at once: the server belongs to nobody who would have to reap it.
            launched = subprocess.run(
                ["/bin/sh", "-c", LAUNCH, "sh", *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=START_TIMEOUT,
                check=False,
                cwd=self.layout.folder,
                env=environment(self.layout, {"HOME": str(self.home)}),
                start_new_session=True,
                **self.account.popen_options(),
            )
        if launched.returncode:
            raise LabError(f"database node {self.name} could not be launched as {self.account.name}; see {self.log}")
        if wait and not self._comes_up():
            raise LabError(f"database node {self.name} did not start: {self.last_words(begin)}; see {self.log}")

    def stop(self, mode: StopMode = "fast", timeout: float = 10.0) -> None:
        """Stop it and wait. Raises LabError when it is frozen or still there after ``timeout`` seconds."""
        pid = server_process.postmaster_of(self.data)
        if pid is None:
            return
        if self.frozen():
            raise LabError(f"database node {self.name} is frozen and cannot stop; remedy: thaw or kill it")
        server_process.send([pid], STOP_SIGNALS[mode])
        wait_for(f"the stop of database node {self.name}", lambda: not self.running(), timeout=timeout, log=self.log)
        server_process.kill_all(self.data, self.title)

    def kill(self) -> None:
        """SIGKILL all of it, frozen or not: the machine under the database died."""
        server_process.kill_all(self.data, self.title)
        server_process.clear_leftovers(self.data)

    def freeze(self) -> None:
        """SIGSTOP all of it: it still accepts at TCP level and never answers."""
        for _ in range(2):  # again: the postmaster may have forked until it stopped itself
            server_process.send(self.processes(), signal.SIGSTOP)
            # A signal takes effect when the kernel next runs the process, on a busy machine a little later.
            deadline = time.monotonic() + 2
            while not self.frozen() and time.monotonic() < deadline:
                time.sleep(0.01)

    def thaw(self) -> None:
        """SIGCONT all of it."""
        server_process.send(list(reversed(self.processes())), signal.SIGCONT)

    def signal_promote(self) -> None:
        """Ask a standby to become primary, as pg_ctl promote does: needs no connection."""
        self.account.write(self.data / "promote", "")
        if pid := server_process.postmaster_of(self.data):
            server_process.send([pid], signal.SIGUSR1)

    def connect(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection straight to it; see ``connection.connect``."""
        return connect(self.layout, self.name, **options)

    # --- disk
    @property
    def disk_can_fill(self) -> bool:
        return self.small_disk.can_fill

    @property
    def disk_reason(self) -> str:
        """Why its disk cannot be filled; empty where it can."""
        return self.small_disk.reason

    def disk(self) -> tuple[int, int]:
        """(total, free) bytes of the disk under its data."""
        return self.small_disk.usage()

    def resize_disk(self, total_bytes: int = DEFAULT_SIZE) -> None:
        """Grow or shrink the disk while it is in use; the ballast stays."""
        self.small_disk.resize(total_bytes)

    def fill_disk(self, leave_free: int = 0, *, wal: bool = False) -> None:
        """Fill the disk.

        A table or index that must grow then fails with SQLSTATE 53100 ("could not extend file …: No space left on
        device"), which for a table that gets rows means within a page of rows; reading and updating go on, because
        spare WAL files are made before. With ``wal`` those are used up: the server panics at the next WAL file,
        restarts by itself and panics again, and lets in nobody for long ("the database system is in recovery mode",
        "could not write init file") until there is space.
        """
        primary = self.accepting() and not self.in_recovery()
        if primary and not wal:
            self._spend_wal(SPARE_SEGMENTS)
        self.small_disk.fill(leave_free)
        if primary and wal:
            self._spend_wal(4 * SPARE_SEGMENTS, until_it_dies=True)

    def unfill_disk(self) -> None:
        """Take the ballast away. ``start()`` afterwards brings back a server that did not survive."""
        self.small_disk.empty()

    def remove(self) -> None:
        """Kill it and remove its database; the disk stays mounted."""
        self.kill()
        if self.data.exists():
            shutil.rmtree(self.data)

    def forget(self) -> None:
        """As :meth:`remove`, with its folders: it has no disk of its own."""
        self.remove()
        for folder in (self.disk_folder, self._shared_memory):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _shared_memory(self) -> Path:
        return self.home / f"{self.name}.shared-memory"

    def _command(self) -> list[str]:
        settings = self._settings / f"{self.name}.conf"
        return [str(self.binaries.path("postgres")), "-D", str(self.data), "-c", f"config_file={settings}"]

    def _move_shared_memory(self) -> None:
        """Keep mapped memory off the node's disk: a real server has it in memory, which a full disk does not hurt."""
        folder = self.account.make_folder(self._shared_memory)
        link = self.data / "pg_dynshmem"
        if not link.is_symlink():
            shutil.rmtree(link, ignore_errors=True)
            link.symlink_to(folder)

    def _comes_up(self) -> bool:
        """Wait until it accepts; False where it dies instead. Raises LabError when it does neither for long."""
        end = time.monotonic() + START_TIMEOUT
        while not self.accepting():
            if self.gone():
                return False
            if time.monotonic() > end:
                raise LabError(f"database node {self.name} was not ready after {START_TIMEOUT:.0f} s; see {self.log}")
            time.sleep(server_process.POLL)
        return True

    def last_words(self, begin: int = 0) -> str:
        """The last two grave lines of its log after the offset ``begin``, else the last line."""
        with self.log.open("rb") as log:
            log.seek(begin)
            lines = log.read().decode(errors="replace").strip().splitlines()
        grave = [line for line in lines if GRAVE.search(line) and not TURNED_AWAY.search(line)][-2:]
        return "; ".join(grave or lines[-1:]) or f"nothing in {self.log}"

    def _spend_wal(self, segments: int, *, until_it_dies: bool = False) -> None:
        """Use up WAL files. The old ones become spare ones at the checkpoint."""
        step = "SELECT pg_logical_emit_message(false, 'dhakacart-lab', ''), pg_switch_wal()"
        try:
            with self.connect(timeout=3) as connection, deadline(connection, 20):
                connection.execute("SET synchronous_commit = local")
                for _ in range(segments):
                    connection.execute(step)
                if not until_it_dies:
                    connection.execute("CHECKPOINT")
        except psycopg.OperationalError:
            if not until_it_dies:
                raise
