# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that was started: two threads, one that drives ansible-runner and one that tells everybody about it.

Ansible comes first: what only the second one needs is imported while Ansible starts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from . import guard
from .announcing import announce
from .child import EXIT
from .plan import Ended, Job, Plan

if TYPE_CHECKING:
    import asyncio

    from ..events import Event
    from ..outcome import RunOutcome
    from .folder import PrivateFolder
    from .leash import Leash

# Runner says that it is about to start the child; importing meanwhile would hold it up.
FORK_SECONDS = 0.02
# Between the child's last line and its end.
EXIT_SECONDS = 2.0


class Run:
    """See ``launcher_api.RunHandle``. Made by the launcher only."""

    def __init__(self, job: Job, plan: Plan, folder: PrivateFolder, leash: Leash) -> None:
        self._job, self._plan = job, plan
        self._folder, self._leash = folder, leash
        self._began = time.monotonic()
        self._ended_by, self._stopped_by = "", ""
        self._exited = 0
        self._raw: SimpleQueue[dict[str, Any] | Ended] = SimpleQueue()
        self._out: SimpleQueue[Event | None] = SimpleQueue()
        self._running, self._finished = threading.Event(), threading.Event()
        self._outcome: RunOutcome | None = None
        self._cleared = False
        self._when_done: list[Callable[[], None]] = []

    @property
    def run_id(self) -> str:
        return self._job.run_id

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

        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Event | None] = asyncio.Queue()

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
        limit = self._job.request.timeout
        if limit is not None and time.monotonic() - self._began > limit:
            self._end("timeout")
        if self._ended_by and not self._exited:
            self._stopped_by = self._ended_by
            guard.reap(self.run_id)
            return True
        return False

    def _drive(self) -> None:
        rc, error = None, ""
        try:
            from .engine import execute

            if not self._should_stop():
                rc = execute(
                    self._plan, on_event=self._hear, on_running=self._running.set, should_stop=self._should_stop
                )
        except BaseException as problem:  # whatever it is, the run must be ended and its outcome told
            error = f"{type(problem).__name__}: {problem}".splitlines()[0]
        self._running.set()
        if not self._exited:
            whole = rc is not None and not error and not self._stopped_by
            survivors = [] if whole else guard.reap(self.run_id)
            self._raw.put(Ended(rc, self._stopped_by, error, tuple(survivors)))

    def _hear(self, raw: dict[str, Any]) -> None:
        """Every event of runner; must return at once. The child's last line is the end, before runner knows it."""
        said = str(raw.get("stdout", "")) if raw.get("event") == "verbose" else ""
        if not said.startswith(EXIT):
            self._raw.put(raw)
        elif not self._stopped_by:
            pid, code = said.removeprefix(EXIT).split()
            self._exited = int(pid)
            self._raw.put(Ended(int(code)))

    def _tell(self) -> None:
        announcement = announce(self._job)
        self._running.wait()
        time.sleep(FORK_SECONDS)
        try:
            from .telling import Teller

            teller = Teller(self._job, self._out.put)
            ended = teller.follow(announcement, self._raw.get)
            if self._exited:
                guard.wait_until_gone(self._exited, EXIT_SECONDS)
            self._clear_away()
            self._outcome = teller.finish(ended)
        finally:
            self._clear_away()
            self._finished.set()
            self._out.put(None)
            for call in self._when_done:
                call()

    def _clear_away(self) -> None:
        """Before anybody is told that the run is over; once."""
        if not self._cleared:
            self._cleared = True
            self._folder.remove()
            self._leash.release()

    def _call_when_done(self, call: Callable[[], None]) -> None:
        self._when_done.append(call)
        if self._finished.is_set():
            call()


def _set(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    import contextlib

    with contextlib.suppress(RuntimeError):  # the loop was closed
        loop.call_soon_threadsafe(done.set)
