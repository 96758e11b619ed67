# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of alerts in a text: exact, nearly exact, or spelled as words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..catalogue import Catalogue
from .text import words

PREFIX = "dhakacart"
_SHORTEST = 8
_SAME_NAME = 90  # percent: a slip or two in a name of fifteen letters


@dataclass(frozen=True)
class Named:
    """An alert in a text.

    :param mapped: the alert map leads from it to the runbook; else the runbook's page lists it.
    :param spelled: as words among others, e.g. "pod not ready"; else as one word, or nothing else was said.
    """

    alert: str
    slug: str
    mapped: bool
    spelled: bool


class AlertNames:
    """The alerts of the alert map, and those that pages list."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._runbooks: dict[str, dict[str, bool]] = {}
        for name, slug in catalogue.alerts.items():
            if slug in catalogue.runbooks:
                self._runbooks.setdefault(name, {})[slug] = True
        for runbook in catalogue.runbooks.values():
            for name in runbook.alerts:
                self._runbooks.setdefault(name, {}).setdefault(runbook.slug, False)
        # HighErrorRate and DhakaCartHighErrorRate are spelled alike; the rule's name, which has the prefix, is shown.
        ordered = sorted(self._runbooks, key=lambda name: name.lower().startswith(PREFIX))
        self._exact = {name.lower(): name for name in ordered}
        self._short = {_short(name): name for name in ordered}
        self._spelled = {_stems(_short(name, name)): name for name in ordered}

    def of(self, slug: str) -> list[str]:
        """The alerts that lead to a runbook."""
        return [name for name, targets in self._runbooks.items() if slug in targets]

    def rules(self, slug: str) -> list[str]:
        """The same without a second name for an alert, e.g. HighErrorRate where there is DhakaCartHighErrorRate."""
        names = self.of(slug)
        prefixed = {_short(name) for name in names if name.lower().startswith(PREFIX)}
        return [name for name in names if name.lower().startswith(PREFIX) or name.lower() not in prefixed]

    def find(self, text: str) -> Iterator[Named]:
        """The alerts in a text with their runbooks, the surest last."""
        stems = _stems(text)
        for spelled, name in self._spelled.items():
            if any(stems[at : at + len(spelled)] == spelled for at in range(len(stems) - len(spelled) + 1)):
                yield from self._targets(name, spelled=stems != spelled)
        for token in dict.fromkeys(re.findall(r"[A-Za-z]+", text)):
            if len(token) >= _SHORTEST and (name := self._closest(token)):
                yield from self._targets(name, spelled=False)

    def _targets(self, name: str, *, spelled: bool) -> Iterator[Named]:
        for slug, mapped in sorted(self._runbooks[name].items(), key=lambda target: target[1]):
            yield Named(name, slug, mapped, spelled)

    def _closest(self, token: str) -> str:
        short = _short(token)
        if name := self._exact.get(token.lower()) or self._short.get(short):
            return name
        from rapidfuzz import fuzz, process

        best = process.extractOne(short, list(self._short), scorer=fuzz.ratio, score_cutoff=_SAME_NAME)
        return self._short[best[0]] if best else ""


def _short(name: str, cased: str = "") -> str:
    """``DhakaCartPodNotReady`` is ``podnotready`` to people; with ``cased`` the capitals stay."""
    shown = cased or name.lower()
    return shown[len(PREFIX) :] if name.lower().startswith(PREFIX) else shown


def _stems(text: str) -> tuple[str, ...]:
    return tuple(word.stem for word in words(text))
