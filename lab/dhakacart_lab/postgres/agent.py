# SPDX-License-Identifier: GPL-3.0-or-later
"""Component ``postgres-agent``: what RDS does by itself about synchronous replication.

Commits wait for the standby as long as it streams. When it does not for two seconds the primary goes on alone; when it
is back and has caught up, commits wait for it again. It also takes backups and drops what is too old, see
:mod:`.retention`. ``python -m dhakacart_lab.postgres.agent <lab folder>``.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from ..layout import LabError, Layout, read_layout
from .connection import connect, deadline
from .node import Node
from .retention import Retention
from .roles import node_with, read_roles
from .settings import STANDBY_NAME

INTERVAL = 0.5
PATIENCE = 2.0
QUERY_TIMEOUT = 2.0
CAUGHT_UP = 1024 * 1024
LOOK = """
SELECT current_setting('synchronous_standby_names') <> '',
       (SELECT min(extract(epoch FROM now() - reply_time))::float8 FROM pg_stat_replication
        WHERE application_name = %(name)s AND state = 'streaming'),
       (SELECT min(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn))::float8 FROM pg_stat_replication
        WHERE application_name = %(name)s AND state = 'streaming')
"""


class Agent:
    """Watches the primary of one lab."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._primary = ""
        self._last_streaming = 0.0
        self._said = ""

    def run(self) -> None:
        """Look every half second, for ever."""
        self._log("watching synchronous replication")
        # A thread of its own: deleting and copying must not keep it from looking.
        threading.Thread(target=Retention(self.layout, self._log).run, name="retention", daemon=True).start()
        while True:
            begin = time.monotonic()
            try:
                self._look()
            except (psycopg.Error, LabError, OSError) as error:
                self._disconnect()
                self._log_once(f"primary {self._primary or '(none)'} cannot be asked: {_one_line(error)}")
            time.sleep(max(0.05, INTERVAL - (time.monotonic() - begin)))

    def _look(self) -> None:
        roles = read_roles(self.layout)
        name = node_with(roles, "primary")
        if name is None:
            return
        if name != self._primary:
            self._disconnect()
            self._primary, self._last_streaming = name, time.monotonic()
            self._log(f"primary is {name}")
        node = Node(self.layout, name)
        if not node.running() or node.frozen():
            raise LabError("it is down or frozen")
        synchronous, silent, behind = self._ask()
        self._said = ""
        self._judge(node, node_with(roles, "standby") is not None, synchronous, silent, behind)

    def _ask(self) -> tuple[bool, float | None, float | None]:
        if self._connection is None:
            self._connection = connect(self.layout, self._primary, timeout=QUERY_TIMEOUT, database="postgres")
        with deadline(self._connection, QUERY_TIMEOUT):
            row = self._connection.execute(LOOK, {"name": STANDBY_NAME}).fetchone()
        if row is None:
            raise LabError("an empty answer")
        return row[0], row[1], row[2]

    def _judge(self, node: Node, wanted: bool, synchronous: bool, silent: float | None, behind: float | None) -> None:
        """``silent``: seconds since the standby's last word, ``behind``: bytes; both None where none streams.

        Not ``wanted``: the one that streams is being replaced, or is not recorded yet.
        """
        now = time.monotonic()
        if silent is not None and silent < PATIENCE:
            self._last_streaming = now - max(0.0, silent)
            if wanted and not synchronous and behind is not None and behind <= CAUGHT_UP:
                node.synchronous_with(STANDBY_NAME)
                self._log(f"synchronous replication on: the standby streams from {node.name} and has caught up")
        elif synchronous and now - self._last_streaming > PATIENCE:
            node.synchronous_with("")
            self._log(
                f"synchronous replication off: the standby of {node.name} has not answered for "
                f"{now - self._last_streaming:.1f} s; commits no longer wait for it"
            )

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _log_once(self, line: str) -> None:
        if line != self._said:
            self._said = line
            self._log(line)

    def _log(self, line: str) -> None:
        print(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}", flush=True)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def main() -> None:
    """Run until SIGTERM."""
    Agent(read_layout(Path(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
