# SPDX-License-Identifier: GPL-3.0-or-later
"""A run in the terminal while it happens. In a pipe the same lines, without the last one that moves."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..catalogue import Catalogue
from ..events import (
    Diagnosed,
    EnvironmentKnown,
    Event,
    FindingsRead,
    RunStarted,
    Said,
    SectionFinished,
    SectionStarted,
    StepFinished,
    StepStarted,
    Waiting,
)
from ..finding import Status
from .findings import row, show_cause, show_findings, wrapped
from .following import translate

# A moving line that is shorter than most terminals survives that one is made narrower.
MOST_MOVING = 72
TITLE = 46
WORDS = {
    "ok": ("ok", "green"),
    "changed": ("changed", "yellow"),
    "would_change": ("would change", "yellow"),
    "skipped": ("not needed", "dim"),
    "failed": ("FAILED", "bold red"),
    "unreachable": ("UNREACHABLE", "bold red"),
}
EVERY_WAIT = 5
WORTH_SAYING = 0.1  # seconds
MOST_AGAIN = 3
_WELL_AGAIN = re.compile(r"^  (\S+) +\w[\w ]* -> ok\b")
# A line with a command or a path stays whole.
_PASTED = re.compile(r"(^|\s)(runbook|ansible-playbook|kubectl|aws|psql|alter) |/")
# What a step tells before it ends.
HELD = (FindingsRead, Diagnosed, Said, SectionFinished)


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


class RunView:
    """Prints each event as it comes; what a step tells follows the line of the step, which is known when it ends."""

    def __init__(self, console: Console, catalogue: Catalogue, moving: MovingLine, *, every: bool = False) -> None:
        self._console, self._catalogue, self._moving, self._every = console, catalogue, moving, every
        self._request: RunStarted | None = None
        self._shown: dict[str, Status] = {}
        self._cause: object = None
        self._held: list[Event] | None = None
        self._including: StepStarted | None = None
        self._headed = False
        self._undo = ""
        self._known = False
        self.said: set[str] = set()
        self.closed: dict[str, SectionFinished] = {}
        self._tell: dict[type[Event], Callable[..., None]] = {
            RunStarted: self._started,
            EnvironmentKnown: self._environment,
            SectionStarted: self._section,
            StepStarted: self._step,
            StepFinished: self._stepped,
            Waiting: self._waiting,
            FindingsRead: self._findings,
            Diagnosed: self._diagnosed,
            Said: self._say,
            SectionFinished: self._close,
        }

    def show(self, event: Event) -> None:
        """Print it; an event that has nothing for people prints nothing."""
        if self._held is not None and isinstance(event, HELD):
            self._held.append(event)
            return
        if not isinstance(event, Waiting | StepFinished):
            self.flush()
        if tell := self._tell.get(type(event)):
            tell(event)

    def flush(self) -> None:
        """Print what was held back for a step that has ended, or that has no end."""
        held, self._held = self._held or [], None
        for event in held:
            self._tell[type(event)](event)

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)

    def _started(self, event: RunStarted) -> None:
        self._request = event
        self._moving.say(f"starting Ansible: {event.runbook}")

    def _environment(self, event: EnvironmentKnown) -> None:
        self._known = True
        if self._request is None:
            return
        asked = ", ".join(self._request.sections) or "bare run, reads only"
        mode = " (--check: changes nothing)" if self._request.check else ""
        known = event.name if event.environment in event.name else f"{event.name} ({event.environment})"
        self._print(f"{self._request.runbook} / {asked}{mode}        {known}", "bold")

    def _section(self, event: SectionStarted) -> None:
        self._moving.section(event.section, event.budget_seconds)
        if self._request and len(self._request.sections) != 1:
            self._print(event.section, "bold cyan")

    def _step(self, event: StepStarted) -> None:
        self._moving.say(f"{event.number} {event.title}" if event.number else event.title)
        if event.number is not None:
            self._including, self._headed = event, False
        self._held = []

    def _stepped(self, event: StepFinished) -> None:
        if not self._known:
            return  # what the preflight refused is the whole answer, and the end says it
        if event.number is not None:
            if not self._headed:
                self._line(f"{event.number} {event.title}", event)
        elif event.outcome not in ("skipped", "ok"):
            self._head()
            self._line(f"  - {event.title}", event)
        self.flush()

    def _head(self) -> None:
        """The title of the step whose tasks begin to say something."""
        if self._including and not self._headed:
            self._headed = True
            self._print(f"{self._including.number} {self._including.title}")

    def _line(self, head: str, event: StepFinished) -> None:
        word, style = WORDS.get(event.outcome, (event.outcome, ""))
        took = f"  {event.seconds:.1f} s" if event.seconds >= WORTH_SAYING else ""
        shown = Text(f"{head:<{TITLE}} ").append(word, style=style).append(took, style="dim")
        self._console.print(shown, soft_wrap=True)
        if event.undo and event.outcome in ("changed", "would_change"):
            self._print(f"    undo    {event.undo}")  # not wrapped: it is there to be pasted
            self._undo = f"undo: {event.undo}"
        if event.message and event.outcome in ("failed", "unreachable") and event.message not in self.said:
            self.said.add(event.message)
            row(self._console, "  because", "red", "", event.message, 0)

    def _waiting(self, event: Waiting) -> None:
        self._moving.say(f"{event.title} (look {event.attempt} of {event.of})")
        if not self._console.is_terminal and event.attempt % EVERY_WAIT == 1:
            self._print(f"    {event.title}: not yet (look {event.attempt} of {event.of})", "dim")

    def _findings(self, event: FindingsRead) -> None:
        before = dict(self._shown)
        self._shown.update({finding.id: finding.status for finding in event.findings})
        changed = [finding for finding in event.findings if before.get(finding.id) is not finding.status]
        if not before:
            show_findings(self._console, event.findings, every=self._every)
        elif changed:
            show_findings(self._console, changed, was=before)
        else:
            self._print("  findings as before", "dim")

    def _diagnosed(self, event: Diagnosed) -> None:
        likely = event.diagnosis.get("likely") or {}
        named = (likely.get("id"), tuple(other.get("id") for other in event.diagnosis.get("also") or ()))
        # `symptoms` reads some systems only, and names no cause.
        if event.section != "symptoms" and named != self._cause:
            self._cause = named
            show_cause(self._console, event.diagnosis)

    def _say(self, event: Said) -> None:
        if event.text not in self.said:
            self.said.add(event.text)
            text = event.text.replace(self._undo, "").rstrip() if self._undo else event.text
            for line in translate(_shortened(text), self._catalogue).splitlines():
                self._print(line if _PASTED.search(line) else wrapped(self._console, line))

    def _close(self, event: SectionFinished) -> None:
        self.closed[event.section] = event
        over = event.elapsed_seconds > event.budget_seconds
        more = ", over its budget: think of escalation" if over else ""
        text = f"{event.section} took {clock(event.elapsed_seconds)} of {clock(event.budget_seconds)}{more}"
        self._print(text, "yellow" if over else "dim")


def _shortened(text: str) -> str:
    """What a comparison found well again, in one line."""
    rows = text.splitlines()
    again = [found.group(1) for row in rows if (found := _WELL_AGAIN.match(row))]
    if len(again) <= MOST_AGAIN:
        return text
    first = next(at for at, row in enumerate(rows) if _WELL_AGAIN.match(row))
    rest = [row for row in rows[first:] if not _WELL_AGAIN.match(row)]
    return "\n".join([*rows[:first], f"  ok again: {len(again)} findings, {', '.join(again[:MOST_AGAIN])}, ...", *rest])
