# SPDX-License-Identifier: GPL-3.0-or-later
"""Point-in-time recovery into a node of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg

from ..layout import LabError
from .backups import NO_ARCHIVE, Backups
from .connection import connect, deadline
from .node import Node
from .server_process import POLL
from .settings import Recovery

RECOVERY_TIMEOUT = 120.0
ENDED_EARLY = "recovery ended before configured recovery target was reached"
SWITCH_NEEDS = 4 * 1024 * 1024


def recover(node: Node, backups: Backups, sources: Sequence[Node], target: datetime | None) -> None:
    """Make ``node`` a standalone primary as of ``target``; ``sources`` may still have WAL, the best one first."""
    if target is not None and target.tzinfo is None:
        raise LabError(f"restore time {target} has no zone; remedy: an ISO 8601 time with Z or an offset")
    if target is not None and target > datetime.now(UTC):
        raise LabError(f"restore time {target.isoformat()} is in the future; remedy: a time that has passed")
    backup = backups.for_moment(target)
    node.remove()
    for source in sources:
        _complete_wal(source)
        if backups.salvage(source.data):
            break
    node.disk_folder.mkdir(parents=True, exist_ok=True)
    node.account.copy_tree(backup.folder, node.data)
    (node.data / "standby.signal").unlink(missing_ok=True)
    node.account.write(node.data / "recovery.signal", "")
    node.account.write(node.data / "postgresql.auto.conf", "")
    node.synchronous_with("")
    try:
        if not _replay(node, backups, target):
            # Nothing was committed after the target: all there is, is what was asked for.
            _replay(node, backups, None)
    finally:
        backups.drop_salvage()
    node.configure(archive_command=NO_ARCHIVE)
    node.reload()


def _replay(node: Node, backups: Backups, target: datetime | None) -> bool:
    """Start the node and wait until it is writable; False where the WAL ends before the target."""
    recovery = Recovery(
        restore_command=backups.restore_command, target=target.astimezone(UTC).isoformat() if target else None
    )
    node.configure(archive_command=NO_ARCHIVE, recovery=recovery)
    begin = node.log.stat().st_size if node.log.exists() else 0
    node.start(wait=False)
    end = time.monotonic() + RECOVERY_TIMEOUT
    while not _writable(node):
        if node.gone():
            with node.log.open("rb") as log:
                log.seek(begin)
                said = log.read().decode(errors="replace")
            if ENDED_EARLY in said:
                return False
            raise LabError(f"recovery into node {node.name} failed: {node.last_words(begin)}; see {node.log}")
        if time.monotonic() > end:
            raise LabError(f"recovery into node {node.name} is not done after {RECOVERY_TIMEOUT:.0f} s; see {node.log}")
        time.sleep(POLL)
    return True


def _writable(node: Node) -> bool:
    try:
        return node.accepting() and not node.in_recovery()
    except psycopg.OperationalError:  # it may end between the two questions
        return False


def _complete_wal(source: Node) -> None:
    """Have a living primary finish its WAL file, with a commit later than any time asked for."""
    if not source.accepting() or source.in_recovery() or source.disk()[1] < SWITCH_NEEDS:
        return
    with (
        contextlib.suppress(psycopg.OperationalError),
        connect(source.layout, source.name, timeout=3) as connection,
        deadline(connection, 5),
    ):
        connection.execute("SET synchronous_commit = local")
        connection.execute("SELECT pg_current_xact_id()")  # an assigned id makes a commit record
        connection.execute("SELECT pg_switch_wal()")
