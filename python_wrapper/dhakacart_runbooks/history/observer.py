# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows runs and enters them into the history, without making them wait for it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from ..errors import InfrastructureError
from ..events import Event, RunStarted
from ..outcome import RunOutcome
from ..request import RunRequest
from .address import Address
from .follower import Follower
from .origin import Origin
from .rows import RunRow

if TYPE_CHECKING:
    from .store import History

FINISH_SECONDS = 8.0


class HistoryObserver:
    """An ``Observer`` that keeps the history.

    A run is put into the spool at once, which takes a millisecond and no database. Everything else, also importing
    SQLAlchemy, is done by a thread of its own when Ansible has started. A history that does not do as it should raises
    InfrastructureError from the next call, once; it is tried again with every heartbeat and at the end.

    :param history: an open one; None opens it at the first run, in the background.
    :param url: which one to open, as for ``History.open``.
    :param collection_version: of the collection that is run; None: of the one that is found.
    :param finish_seconds: for how long ``finished`` waits for the database. What is not entered by then is kept in
        the spool, and entered when the history is opened next.
    """

    def __init__(
        self,
        history: History | None = None,
        *,
        url: str | None = None,
        collection_version: str | None = None,
        finish_seconds: float = FINISH_SECONDS,
    ) -> None:
        self._history, self._url = history, url
        self._collection_version, self._finish_seconds = collection_version, finish_seconds
        self._followers: dict[str, tuple[int, Follower]] = {}

    def started(self, request: RunRequest, event: RunStarted) -> None:
        address = self._history.address if self._history else Address.find(self._url)
        run = RunRow.begun(request, event, Origin.here())
        follower = Follower(run, address, self._history, self._collection_version)
        with contextlib.suppress(OSError):  # a disk that takes nothing is reported by the database, or does not matter
            follower.spool.put(run)
        self._followers[event.run_id] = (threading.get_ident(), follower)
        follower.start()

    def event(self, event: Event) -> None:
        if follower := self._follower():
            follower.tell(event)
            follower.complain()

    def finished(self, outcome: RunOutcome) -> None:
        _, follower = self._followers.pop(outcome.run_id, (0, None))
        if follower is None:  # it was never started, or its history could not be found
            return
        if not follower.end(outcome, self._finish_seconds):
            raise follower.error or InfrastructureError(
                f"was not written within {self._finish_seconds:g} s",
                where=f"history {follower.address.shown}",
                remedy=f"the run waits in {follower.spool.folder}; runbook history enters it",
            )

    def _follower(self) -> Follower | None:
        """Events do not say whose they are: several runs at once are told apart by the thread that reports them.

        Where even that does not help, nothing is told: the outcome has it all again.
        """
        caller = threading.get_ident()
        all_of_them = list(self._followers.values())
        mine = [follower for thread, follower in all_of_them if thread == caller] or [f for _, f in all_of_them]
        return mine[0] if len(mine) == 1 else None
