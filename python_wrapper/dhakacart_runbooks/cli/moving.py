# SPDX-License-Identifier: GPL-3.0-or-later
"""The last line of a terminal, which says what is being done now."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

# A moving line that is shorter than most terminals survives that one is made narrower.
MOST_MOVING = 72


def clock(seconds: float) -> str:
    """Minutes and seconds, ``0:04``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class MovingLine:
    """The last line of a terminal: what is being done, and for how long. Nothing where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._started = time.monotonic()
        self._budget: float | None = None
        shown = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4, transient=True)
        self._enabled = shown

    def __enter__(self) -> MovingLine:
        if self._enabled:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the line away."""
        if self._enabled:
            self._enabled = False
            self._live.stop()

    def say(self, text: str) -> None:
        """What is being done now."""
        self._text = text

    def section(self, name: str, budget: float | None) -> None:
        """A section begins; its time is counted against its budget."""
        self._started, self._budget = time.monotonic(), budget
        self.say(name)

    def _render(self) -> Text:
        elapsed = time.monotonic() - self._started
        over = self._budget is not None and elapsed > self._budget
        time_line = clock(elapsed) + (f" of {clock(self._budget)}" if self._budget else "") + (" OVER" if over else "")
        room = max(10, min(MOST_MOVING, self._console.width - 1) - len(time_line) - 4)
        text = self._text if len(self._text) <= room else self._text[: room - 1] + "…"
        shown = Text(no_wrap=True, end="")
        return shown.append(f"> {time_line}  ", style="bold yellow" if over else "cyan").append(text)
