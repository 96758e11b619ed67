# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that was started: two threads, one that drives ansible-runner and one that tells everybody about it."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ..events import Event, RunFinished, RunStarted, Said
from ..launcher_api import Observer
from ..outcome import RunOutcome
from . import guard
from .ending import Account, Ended, outcome
from .translator import Translator

if TYPE_CHECKING:
    import asyncio

    from ..request import RunRequest
    from .folder import PrivateFolder
    from .leash import Leash
    from .plan import Plan
    from .redacting import Redacts

NOT_SEEN = "this system has no /proc: processes that a run leaves behind when it is ended cannot be found"


class Run:
    """See ``launcher_api.RunHandle``. Made by the launcher only."""

    def __init__(
        self,
        request: RunRequest,
        started: RunStarted,
        translator: Translator,
        redactor: Redacts,
        folder: PrivateFolder,
        leash: Leash,
        observers: Sequence[Observer],
        plan: Plan,
    ) -> None:
        self._request, self._started, self._plan = request, started, plan
        self._translator, self._redactor = translator, redactor
        self._folder, self._leash = folder, leash
        self._observers, self._broken_observers = list(observers), set[int]()
        self._account = Account()
        self._began = time.monotonic()
        self._ended_by = ""
        self._raw: SimpleQueue[dict[str, Any] | Ended] = SimpleQueue()
        self._out: SimpleQueue[Event | None] = SimpleQueue()
        self._running, self._finished = threading.Event(), threading.Event()
        self._outcome: RunOutcome | None = None
        self._when_done: list[Callable[[], None]] = []

    @property
    def run_id(self) -> str:
        return self._started.run_id

    def start(self) -> Run:
        """Start both threads. They are daemons: when the program ends before the run, the guard ends the run."""
        threading.Thread(target=self._drive, name=f"run {self.run_id}", daemon=True).start()
        threading.Thread(target=self._tell, name=f"events of run {self.run_id}", daemon=True).start()
        return self

    def cancel(self) -> None:
        self._end("cancelled")

    def wait(self, timeout: float | None = None) -> RunOutcome:
        if not self._finished.wait(timeout):
            raise TimeoutError(f"run {self.run_id} goes on after {timeout:g} s")
        if self._outcome is None:
            raise RuntimeError(f"run {self.run_id} ended without an outcome")
        return self._outcome

    def events(self) -> Iterator[Event]:
        while (event := self._out.get()) is not None:
            yield event
        self._out.put(None)  # for a second call

    async def stream(self) -> AsyncIterator[Event]:
        import asyncio

        loop, queue = asyncio.get_running_loop(), asyncio.Queue[Event | None]()

        def pump() -> None:
            try:
                for event in self.events():
                    loop.call_soon_threadsafe(queue.put_nowait, event)
                loop.call_soon_threadsafe(queue.put_nowait, None)
            except RuntimeError:  # the loop was closed
                return

        threading.Thread(target=pump, daemon=True).start()
        while (event := await queue.get()) is not None:
            yield event

    async def finished(self) -> RunOutcome:
        """``wait`` for asyncio. Cancelling the task does not cancel the run."""
        import asyncio

        loop, done = asyncio.get_running_loop(), asyncio.Event()
        self._call_when_done(lambda: _set(loop, done))
        await done.wait()
        return self.wait(0)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self._finished.is_set():
            self.cancel()
            self._finished.wait()

    async def __aenter__(self) -> Run:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if not self._finished.is_set():
            self.cancel()
            await self.finished()

    def _end(self, how: str) -> None:
        # No lock: a signal handler may come in between.
        self._ended_by = self._ended_by or how

    def _should_stop(self) -> bool:
        """Asked by runner. Says yes only when nothing of the run is left: workers would keep the terminal open."""
        limit = self._request.timeout
        if limit is not None and time.monotonic() - self._began > limit:
            self._end("timeout")
        if self._ended_by:
            guard.reap(self.run_id)
            return True
        return False

    def _drive(self) -> None:
        rc, error = None, ""
        try:
            from .engine import execute

            if not self._should_stop():
                rc = execute(
                    self._plan, on_event=self._raw.put, on_running=self._running.set, should_stop=self._should_stop
                )
        except BaseException as problem:  # whatever it is, the run must be ended and its outcome told
            error = f"{type(problem).__name__}: {problem}".splitlines()[0]
        survivors: list[int] = []
        if error or self._ended_by or rc is None:
            survivors = guard.reap(self.run_id)
        self._running.set()
        self._raw.put(Ended(rc, self._ended_by, error, tuple(survivors)))

    def _tell(self) -> None:
        """Observers are called from here only; nothing that they do can stop the run or its end."""
        self._running.wait()  # Ansible first: what observers import can be imported while it starts
        try:
            self._observe(lambda observer: observer.started(self._request, self._started))
            self._out.put(self._started)
            if not guard.SEEN:
                self._deliver(Said(text=NOT_SEEN))
            while not isinstance(raw := self._raw.get(), Ended):
                self._translate(raw)
            for event in self._translator.close():
                self._deliver(event)
            self._finish(raw)
        finally:
            self._finished.set()
            self._out.put(None)
            for call in self._when_done:
                call()

    def _translate(self, raw: dict[str, Any]) -> None:
        try:
            for event in self._translator.feed(raw):
                self._deliver(event)
        except Exception as error:  # an event of a kind that nobody foresaw must not cost all others
            self._deliver(Said(text=f"an event could not be read: {type(error).__name__}: {error}"))

    def _deliver(self, event: Event) -> None:
        self._account.note(event)
        self._observe(lambda observer: observer.event(event))
        self._out.put(event)

    def _finish(self, ended: Ended) -> None:
        interrupted = self._translator.current_step
        self._folder.remove()
        self._leash.release()
        found = outcome(
            self._request,
            self.run_id,
            self._started.time,
            time.time(),
            self._account,
            self._translator.facts,
            ended,
            interrupted,
        )
        self._outcome = found
        self._observe(lambda observer: observer.finished(found))
        self._out.put(RunFinished(outcome=found.to_json()))

    def _observe(self, call: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                call(observer)
            except Exception as error:
                self._complain(observer, error)

    def _complain(self, observer: Observer, error: Exception) -> None:
        if id(observer) in self._broken_observers:
            return
        self._broken_observers.add(id(observer))
        reason = str(error).splitlines()[0] if str(error) else ""
        text = f"{type(observer).__name__} does not follow this run: {type(error).__name__}: {reason}"
        self._out.put(Said(text=self._redactor.text(text)))

    def _call_when_done(self, call: Callable[[], None]) -> None:
        self._when_done.append(call)
        if self._finished.is_set():
            call()


def _set(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    import contextlib

    with contextlib.suppress(RuntimeError):  # the loop was closed
        loop.call_soon_threadsafe(done.set)
