# SPDX-License-Identifier: GPL-3.0-or-later
"""How a drill tells what it is doing."""

from __future__ import annotations

from typing import Protocol

from ..events import Event
from .journal import Phase


class Progress(Protocol):
    """Somebody who watches. Called from the drill's thread, in order."""

    def begin(self, name: str) -> None:
        """A phase begins."""

    def end(self, phase: Phase) -> None:
        """It ended."""

    def event(self, event: Event) -> None:
        """Something happened in a section that the drill runs."""

    def say(self, text: str) -> None:
        """A line for people."""


class Silent:
    """Nobody watches."""

    def begin(self, name: str) -> None: ...

    def end(self, phase: Phase) -> None: ...

    def event(self, event: Event) -> None: ...

    def say(self, text: str) -> None: ...
