# SPDX-License-Identifier: GPL-3.0-or-later
"""A run in the terminal while it happens. In a pipe the same lines, without the last one that moves."""

from __future__ import annotations

import re
from collections.abc import Callable

from rich.console import Console
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
from ..finding import Finding, Status
from .findings import row, show_cause, show_findings, wrapped
from .following import translate
from .moving import MovingLine, clock

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


class RunView:
    """Prints each event as it comes; what a step tells follows the line of the step, which is known when it ends."""

    def __init__(self, console: Console, catalogue: Catalogue, moving: MovingLine, *, every: bool = False) -> None:
        self._console, self._catalogue, self._moving, self._every = console, catalogue, moving, every
        self._request: RunStarted | None = None
        self._shown: dict[str, Status] = {}
        self._cause: object = None
        self._latest: tuple[Finding, ...] = ()
        self._held: list[Event] | None = None
        self._including: StepStarted | None = None
        self._headed = False
        self._undo = ""
        self._known = False
        self._closing: SectionFinished | None = None
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
        rows: list[str] = []
        for event in held:
            if isinstance(event, Said):
                rows.append(event.text)
                continue
            self._say_together(rows)
            self._tell[type(event)](event)
        self._say_together(rows)

    def end(self) -> None:
        """Print what is left when nothing more comes."""
        self.flush()
        self._sum_up()

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
        self._sum_up()
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
        elif self._held:
            self._head()
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
        self._latest = event.findings
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
            show_cause(self._console, event.diagnosis, self._latest)

    def _say(self, event: Said) -> None:
        self._say_together([event.text])

    def _say_together(self, texts: list[str]) -> None:
        """What was said in a row; what was said before is not said again."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.said]
        texts.clear()
        self.said.update(fresh)
        text = "\n".join(fresh)
        text = text.replace(self._undo, "").rstrip() if self._undo else text
        for line in _shortened(text).splitlines():
            told = translate(line, self._catalogue)
            self._print(told if _PASTED.search(told) else wrapped(self._console, told))

    def _close(self, event: SectionFinished) -> None:
        """Said when the section's last step has been shown: it is a task of that step that closes the section."""
        self.closed[event.section] = self._closing = event

    def _sum_up(self) -> None:
        event, self._closing = self._closing, None
        if event is None:
            return
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
