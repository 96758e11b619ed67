# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps between a primary and its standby. ``Cluster`` holds the lock and the record of roles around them."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import psycopg

from ..layout import LabError
from ..process import wait_for
from .backups import NO_ARCHIVE, Backups
from .connection import connect, deadline, query
from .node import Node
from .settings import REPLICATION_PASSFILE, STANDBY_NAME, Recovery

FOLLOW_TIMEOUT = 6.0  # then a new copy is the faster way
NEW_COPY_TIMEOUT = 20.0
COPY_TIMEOUT = 60.0
PROMOTE_TIMEOUT = 30.0
STREAMING = (
    "SELECT 1 FROM pg_stat_replication WHERE application_name = %(name)s AND state = 'streaming'"
    " AND now() - reply_time < interval '2 s'"
)


def ensure_primary(node: Node, backups: Backups) -> None:
    """Have ``node`` run as primary: thaw it, start it, finish a promotion that was begun."""
    node.thaw()
    node.configure(archive_command=backups.archive_command)
    if not node.running():
        # Nobody is known to stream: commits would wait for ever.
        node.synchronous_with("")
    node.start()
    try:
        recovering = node.in_recovery()
    except psycopg.OperationalError:  # it lets not even the admin in: every connection is taken
        node.kill()
        node.start()
        recovering = node.in_recovery()
    if recovering:
        promote(node, backups)


def ensure_standby(standby: Node, primary: Node, timeout: float = FOLLOW_TIMEOUT) -> bool:
    """Have ``standby`` follow ``primary``, and commits wait for it; False where it does not in ``timeout`` seconds."""
    if not standby.exists:
        return False
    standby.thaw()
    # Promoted by somebody else it must not write into the archive: a stray timeline there stops every later recovery.
    standby.configure(archive_command=NO_ARCHIVE, recovery=Recovery(primary=primary.address))
    standby.synchronous_with("")
    if standby.running():
        standby.reload()
        if not standby.in_recovery():
            return False
    else:
        standby.account.write(standby.data / "standby.signal", "")
        try:
            standby.start(wait=False)
        except LabError:
            return False
    try:
        wait_for("streaming", lambda: is_streaming(primary), timeout=timeout)
        wait_for("the standby", standby.accepting, timeout=timeout)
    except LabError:
        return False
    primary.synchronous_with(STANDBY_NAME)
    return True


def is_streaming(primary: Node) -> bool:
    """Whether the primary has a standby that answers."""
    try:
        return bool(query(primary.layout, primary.name, STREAMING, {"name": STANDBY_NAME}, database="postgres"))
    except psycopg.OperationalError:
        return False


def copy_from(primary: Node, data: Path, backups: Backups) -> None:
    """Fill the data folder ``data``, which must not exist, by pg_basebackup, and keep a copy as base backup."""
    _base_backup(primary, data)
    backups.add(data)


def back_up(primary: Node, backups: Backups) -> None:
    """Take a base backup of a primary whose standby is not being made."""
    scratch = primary.home / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    _base_backup(primary, scratch)
    backups.add(scratch, move=True)


def _base_backup(primary: Node, data: Path) -> None:
    primary.account.make_folder(data)
    address = primary.address
    primary.account.run(
        primary.layout,
        [
            primary.binaries.path("pg_basebackup"), "--pgdata", data, "--host", address.host,
            "--port", str(address.port), "--username", primary.layout.replication_user, "--no-password",
            "--wal-method", "stream", "--checkpoint", "fast", "--no-sync",
        ],
        timeout=COPY_TIMEOUT,
        extra_env={"PGPASSFILE": str(primary.layout.folder / REPLICATION_PASSFILE), "PGSSLMODE": "disable"},
    )  # fmt: skip


def promote(node: Node, backups: Backups) -> None:
    """Make a standby primary and wait until it takes writes."""
    node.configure(archive_command=backups.archive_command)
    node.synchronous_with("")  # also reloads
    node.start()
    node.signal_promote()
    with connect(node.layout, node.name, database="postgres") as connection, deadline(connection, PROMOTE_TIMEOUT):

        def writable() -> bool:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            return row is not None and not row[0]

        wait_for(f"the promotion of {node.name}", writable, timeout=PROMOTE_TIMEOUT, log=node.log, interval=0.01)


def hand_over(old: Node, new: Node) -> None:
    """Stop the primary such that the standby has all of its WAL; raises LabError with the primary running if not."""
    if not is_streaming(old):
        raise LabError(f"standby {new.name} does not stream from {old.name}; remedy: rebuild the standby first")
    # A clean stop waits until the standby has everything, the shutdown checkpoint included.
    old.stop("fast", timeout=20)
    said = old.account.run(old.layout, [old.binaries.path("pg_controldata"), old.data], timeout=10)
    checkpoint = next(line.split()[-1] for line in said.splitlines() if line.startswith("Latest checkpoint location"))
    rows = query(
        new.layout,
        new.name,
        "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), %(lsn)s::pg_lsn) > 0",
        {"lsn": checkpoint},
        database="postgres",
    )
    if not rows[0][0]:
        old.start()
        raise LabError(f"standby {new.name} lacks WAL of {old.name} up to {checkpoint}; the roles are unchanged")


def forget_overrides(node: Node) -> None:
    """Remove what ALTER SYSTEM set on a node, and let a paused replay go on."""
    override = node.data / "postgresql.auto.conf"
    if override.exists():
        node.account.write(override, "")
    node.reload()
    if (node.data / "standby.signal").exists() and node.accepting():
        with contextlib.suppress(psycopg.OperationalError):
            query(node.layout, node.name, "SELECT pg_wal_replay_resume()", database="postgres")
