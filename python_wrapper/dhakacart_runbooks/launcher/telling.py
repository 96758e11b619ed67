# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells observers and the consumer what happens, and at the end what became of it. Lives in one thread of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..errors import RunbookError
from ..events import Event, RunFinished, Said
from ..launcher_api import Observer
from ..outcome import RunOutcome
from . import guard
from .announcing import Announcement
from .ending import Account, outcome
from .plan import Ended, Job
from .translator import Translator

NOT_SEEN = "this system has no /proc: processes that a run leaves behind when it is ended cannot be found"


class Teller:
    """Nothing that an observer does can stop the run or its end.

    :param put: where events go; must not block.
    """

    def __init__(self, job: Job, put: Callable[[Event], None]) -> None:
        self._job, self._put = job, put
        self._clean = job.clean
        self._translator = Translator(job.sections, self._clean, check=job.request.check)
        self._account = Account()
        self._broken: set[int] = set()

    def follow(self, announcement: Announcement, following: Callable[[], dict[str, Any] | Ended]) -> Ended:
        """Tell every event up to the end.

        :param announcement: what the observers have been told already.
        :param following: waits for the next event of runner, or the end.
        """
        self._put(announcement.event)
        for observer, error in announcement.complaints:
            self._complain(observer, error)
        if not guard.SEEN:
            self._deliver(Said(text=NOT_SEEN))
        while not isinstance(raw := following(), Ended):
            self._translate(raw)
        for event in self._translator.close(whole=raw.whole):
            self._deliver(event)
        return raw

    def finish(self, ended: Ended) -> RunOutcome:
        """Tell the outcome."""
        ended = replace(ended, error=self._clean.text(ended.error))
        found = outcome(
            self._job,
            time.time(),
            self._account,
            self._translator.facts,
            ended,
            self._translator.current_step,
        )
        self._observe(lambda observer: observer.finished(found))
        self._put(RunFinished(outcome=found.to_json()))
        return found

    def _translate(self, raw: dict[str, Any]) -> None:
        try:
            for event in self._translator.feed(raw):
                self._deliver(event)
        except Exception as error:  # an event of a kind that nobody foresaw must not cost all others
            self._deliver(Said(text=f"an event could not be read: {type(error).__name__}: {error}"))

    def _deliver(self, event: Event) -> None:
        self._account.note(event)
        self._observe(lambda observer: observer.event(event))
        self._put(event)

    def _observe(self, call: Callable[[Observer], None]) -> None:
        for observer in self._job.observers:
            try:
                call(observer)
            except Exception as error:
                self._complain(observer, error)

    def _complain(self, observer: Observer, error: Exception) -> None:
        """Once: an observer whose disk is full would say it at every event."""
        if id(observer) in self._broken:
            return
        self._broken.add(id(observer))
        reason = str(error).splitlines()[0] if str(error) else ""
        if not isinstance(error, RunbookError):  # those say themselves what, where and what to do
            reason = f"{type(observer).__name__} does not follow this run: {type(error).__name__}: {reason}"
        self._put(Said(text=self._clean.text(reason)))
