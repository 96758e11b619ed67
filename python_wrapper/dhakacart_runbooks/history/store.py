# SPDX-License-Identifier: GPL-3.0-or-later
"""The history: what is written and what is asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from ..errors import UsageError
from ..outcome import RunOutcome
from . import retention, tables
from .address import Address
from .database import Database
from .origin import Origin, is_gone
from .retention import Pruned, Pruning
from .rows import LOST, RUNNING, DrillRow, RunRow, SectionRow, run_from
from .schema import ensure_current
from .spool import Spool


class History:
    """Open it with ``History.open()``; use it in a ``with`` block or ``close`` it. For one thread at a time.

    Every method raises InfrastructureError, in one line, when the database does not do as it should.
    """

    def __init__(self, database: Database) -> None:
        self.address = database.address
        self._database = database
        self._spool = Spool(self.address.spool)

    @classmethod
    def open(cls, url: str | None = None) -> History:
        """Open or make it, upgrade its tables, enter what waited, and mark the runs that died.

        :param url: a path, or a URL of SQLite or PostgreSQL without a password; None: ``DHAKACART_HISTORY_URL``,
            else a file in the state folder.
        :raises UsageError: the URL is none of these.
        :raises InfrastructureError: it cannot be read or written, is damaged, of a newer version, or unreachable.
        """
        database = Database(Address.find(url))
        try:
            ensure_current(database)
            history = cls(database)
            history.recover()
        except BaseException:
            database.close()
            raise
        return history

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(self, run: RunOutcome | RunRow, sections: Sequence[SectionRow] = ()) -> None:
        """Enter a run, or replace what is known of it. Of a ``RunOutcome`` the sections are entered with it.

        Of one that runs this is a sign of life; it takes back a mark that it died: it was only asleep or out of reach.
        """
        if isinstance(run, RunOutcome):
            sections = SectionRow.all_of(run)
            run = RunRow.of(run, Origin.here())
        with self._database.write() as connection:
            self._enter(connection, run, sections)
        if run.status != RUNNING:
            self._spool.drop(run.id)

    def recover(self) -> list[str]:
        """Enter what waited and mark as lost every run whose process is gone; returns the ids of these."""
        here = Origin.here()
        self._enter_waiting(here)
        c = tables.runs.c
        query = sa.select(*tables.run_columns, self._database.clock().label("now")).where(c.status == RUNNING)
        with self._database.read() as connection:
            open_ones = [(run_from(row), row["now"]) for row in connection.execute(query).mappings()]
        dead = [run for run, now in open_ones if is_gone(run, now=now, here=here)]
        if not dead:
            return []
        lost: list[str] = []
        with self._database.write() as connection:
            for run in dead:
                # It may have ended, or have given a sign of life, since it was read.
                as_seen = (c.id == run.id, c.status == RUNNING, c.heartbeat == run.heartbeat)
                change = {"status": LOST, "finished": max(run.started, run.heartbeat)}
                if connection.execute(sa.update(tables.runs).where(*as_seen).values(change)).rowcount:
                    lost.append(run.id)
        return lost

    def runs(
        self,
        *,
        runbook: str | None = None,
        environment: str | None = None,
        status: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first.

        :param since: epoch seconds; only runs that were started then or later.
        """
        self.recover()
        c = tables.runs.c
        asked = ((c.runbook, runbook), (c.environment, environment), (c.status, status))
        conditions = [column == value for column, value in asked if value is not None]
        if since is not None:
            conditions.append(c.started >= since)
        query = sa.select(*tables.run_columns).where(*conditions).order_by(c.started.desc(), c.id.desc()).limit(limit)
        return [run_from(row) for row in self._read(query)]

    def find(self, prefix: str) -> list[RunRow]:
        """Runs whose id begins so, the newest first; an id in full is that run alone."""
        self.recover()
        c = tables.runs.c
        query = (
            sa.select(*tables.run_columns).where(c.id.startswith(prefix, autoescape=True)).order_by(c.started.desc())
        )
        found = [run_from(row) for row in self._read(query)]
        return [run for run in found if run.id == prefix] or found

    def run(self, run_id: str) -> RunRow:
        """The run of this id, or of the only one that begins so; ``last`` is the newest.

        :raises UsageError: there is none, or several.
        """
        found = self.runs(limit=1) if run_id == "last" else self.find(run_id)
        if not found:
            what = "the history is empty" if run_id == "last" else "no run of the history has this id"
            raise UsageError(what, where=run_id, remedy="runbook history")
        if len(found) > 1:
            ids = ", ".join(run.id for run in found[:5]) + (", ..." if len(found) > 5 else "")
            raise UsageError(f"{len(found)} runs begin so: {ids}", where=run_id, remedy="type more of the id")
        return found[0]

    def sections(self, run_id: str) -> list[SectionRow]:
        """The finished sections of a run, in order."""
        c = tables.sections.c
        query = sa.select(tables.sections).where(c.run_id == run_id).order_by(c.position)
        return [SectionRow(**row) for row in self._read(query)]

    def add_drill(self, drill: DrillRow) -> None:
        """Enter a drill, or replace it."""
        with self._database.write() as connection:
            self._insert(connection, tables.drills, drill.to_json(), keys=("id",))

    def drills(
        self, name: str | None = None, *, since: float | None = None, limit: int | None = None
    ) -> list[DrillRow]:
        """Drills, the newest first."""
        c = tables.drills.c
        conditions = [c.drill == name] if name is not None else []
        if since is not None:
            conditions.append(c.started >= since)
        query = sa.select(tables.drills).where(*conditions).order_by(c.started.desc(), c.id.desc()).limit(limit)
        return [DrillRow(**{**row, "run_ids": tuple(row["run_ids"])}) for row in self._read(query)]

    def prunable(self, older_than: timedelta, keep_last: int) -> Pruned:
        """What ``prune`` would remove."""
        self.recover()
        with self._database.read() as connection:
            return retention.prunable(connection, older_than, keep_last)

    def prune(self, older_than: timedelta, keep_last: int) -> Pruned:
        """Remove old runs and drills; see ``retention.prune``. Incident records stay."""
        self.recover()
        with self._database.write() as connection:
            return retention.prune(connection, older_than, keep_last)

    def prune_if_due(self) -> Pruned | None:
        """The retention that happens by itself, at most once a day; None when nothing was to be done."""
        if not (days := retention.keep_days()):
            return None
        with self._database.write() as connection:
            return retention.prune_if_due(connection, days)

    def prunings(self, limit: int = 10) -> list[Pruning]:
        """What was removed when, the newest first."""
        with self._database.read() as connection:
            return retention.prunings(connection, limit)

    def records_in_use(self) -> set[str]:
        """The incident records of all runs."""
        query = sa.select(tables.runs.c.record).distinct()
        return {str(row["record"]) for row in self._read(query)}

    def _enter_waiting(self, here: Origin) -> None:
        for run, sections in list(self._spool.waiting()):
            if run.status == RUNNING:
                if not is_gone(run, now=time.time(), here=here):
                    continue
                self._enter_if_missing(replace(run, status=LOST, finished=max(run.started, run.heartbeat)))
            else:
                self.record(run, sections)
            self._spool.drop(run.id)

    def _enter_if_missing(self, run: RunRow) -> None:
        with self._database.write() as connection:
            known = connection.execute(sa.select(tables.runs.c.id).where(tables.runs.c.id == run.id)).first()
            if known is None:
                self._enter(connection, run, ())

    def _enter(self, connection: sa.Connection, run: RunRow, sections: Sequence[SectionRow]) -> None:
        values = {**asdict(run), "sections": list(run.sections)}
        if run.status == RUNNING:
            values["heartbeat"] = self._database.clock()
        self._insert(connection, tables.runs, values, keys=("id",))
        if sections:
            connection.execute(sa.delete(tables.sections).where(tables.sections.c.run_id == run.id))
            connection.execute(sa.insert(tables.sections), [asdict(section) for section in sections])

    def _insert(
        self, connection: sa.Connection, table: sa.Table, values: dict[str, Any], keys: tuple[str, ...]
    ) -> None:
        """Insert, or replace the row of the same key."""
        statement: Any
        if self._database.is_sqlite:
            from sqlalchemy.dialects import sqlite

            statement = sqlite.insert(table).values(values)
        else:
            from sqlalchemy.dialects import postgresql

            statement = postgresql.insert(table).values(values)
        # By column: the keys of a table's columns need not be their names.
        change = {table.c[key]: value for key, value in values.items() if key not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=[table.c[key] for key in keys], set_=change))

    def _read(self, query: sa.Select[Any]) -> list[sa.RowMapping]:
        with self._database.read() as connection:
            return list(connection.execute(query).mappings())
