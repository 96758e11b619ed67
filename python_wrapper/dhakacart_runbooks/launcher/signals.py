# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and friends cancel a run, which then says so itself, instead of ending this process on the spot."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..launcher_api import RunHandle

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CancelledBySignals:
    """While it is entered, SIGINT, SIGTERM and SIGHUP cancel the run that is, or will be, attached.

    Handlers that an application has set itself stay as they are, and outside the main thread nothing is touched.
    """

    def __init__(self, handle: RunHandle | None = None) -> None:
        self._handle = handle
        self._pending = False
        self._before: dict[int, Any] = {}

    def attach(self, handle: RunHandle) -> RunHandle:
        """The run it is about; a signal that came already cancels it at once."""
        self._handle = handle
        if self._pending:
            handle.cancel()
        return handle

    def _cancel(self, _number: int, _frame: FrameType | None) -> None:
        self._pending = True
        if self._handle is not None:
            self._handle.cancel()

    def __enter__(self) -> CancelledBySignals:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = signal.signal(number, self._cancel)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
