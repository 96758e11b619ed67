# SPDX-License-Identifier: GPL-3.0-or-later
"""Search: the runbooks that a text is about, best first, each with the reason; none where nothing is relevant."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..catalogue import Catalogue, Runbook
from .alerts import AlertNames
from .index import Index, Match
from .terms import CONCEPT, Term, terms, typos
from .text import words

# What is named exactly stands above everything that is only about the same words; a name spelled out among other words
# ("pod not ready") is a good hint.
NAMED, LISTED, SPELLED = 100.0, 50.0, 3.0
# Of the best hit's score: less is noise beside it.
_WORTH_SHOWING = 0.35
# A text that is hardly understood finds nothing: the share of it, by what its words tell, that a runbook must have.
_UNDERSTOOD = 0.3
_ENOUGH_STRONG = 2
_TELLING = 1.6  # known to four of 22 runbooks
_REASONS = 5
_LONGEST = 20_000


@dataclass(frozen=True)
class Hit:
    """A runbook that may be the right one.

    :param score: comparable within one search only.
    :param why: what matched, most telling first: ``alert DhakaCartPodNotReady``, ``too many clients``,
        ``ECONNREFUSED (connection refused)``, ``refussed (refused?)``.
    """

    runbook: Runbook
    score: float
    why: tuple[str, ...]


class Search:
    """Finds runbooks of a catalogue by symptom, error text, alert name or title. Reads the pages once, here."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._runbooks = catalogue.runbooks
        self._alerts = AlertNames(catalogue)
        self._index = Index({slug: self._fields(runbook) for slug, runbook in self._runbooks.items()})
        self._known = frozenset(self._index.known)

    def find(self, text: str, limit: int = 3) -> list[Hit]:
        """The runbooks that a text is about, best first; empty where nothing is relevant.

        :param text: what a person typed, or lines pasted from a log or an alert.
        :param limit: no more than so many.
        """
        return self._ranked(text, self._named(text))[:limit]

    def near(self, runbook: Runbook) -> list[Hit]:
        """The other runbooks that are about what its title says, the nearest first."""
        return self._ranked(runbook.title, {}, without=runbook.slug)

    def _ranked(self, text: str, named: dict[str, tuple[float, str]], without: str = "") -> list[Hit]:
        found = words(text[:_LONGEST])
        query = _once(terms(found, typos(found, self._known)))
        hits = [self._hit(slug, query, named.get(slug)) for slug in self._runbooks if slug != without]
        ranked = sorted((hit for hit in hits if hit), key=lambda hit: -hit.score)
        return [hit for hit in ranked if hit.score >= ranked[0].score * _WORTH_SHOWING]

    def _named(self, text: str) -> dict[str, tuple[float, str]]:
        """The runbooks that a text names, with how surely and the reason."""
        found: dict[str, tuple[float, str]] = {}
        for named in self._alerts.find(text):
            surety = SPELLED if named.spelled else NAMED if named.mapped else LISTED
            found[named.slug] = max(found.get(named.slug, (0.0, "")), (surety, f"alert {named.alert}"))
        plain = _plain(text)
        for slug, runbook in self._runbooks.items():
            if plain in (_plain(runbook.title), _plain(slug)):
                found[slug] = (NAMED, "its title")
        return found

    def _hit(self, slug: str, query: list[Term], named: tuple[float, str] | None) -> Hit | None:
        matches = sorted(self._index.match(query, slug), key=lambda match: -match.score)
        if not named and not self._relevant(query, matches):
            return None
        score = sum(match.score for match in matches)
        reasons = [_reason(match) for match in matches]
        if named:
            # The words of the name are no reasons of their own.
            name = set(_plain(" ".join(word.surface for word in words(named[1]))).split())
            others = [_reason(match) for match in matches if not name.issuperset(_plain(match.term.surface).split())]
            score, reasons = score + named[0], [named[1], *others]
        return Hit(self._runbooks[slug], round(score, 2), tuple(dict.fromkeys(reasons))[:_REASONS])

    def _relevant(self, query: list[Term], matches: list[Match]) -> bool:
        strong = [match for match in matches if match.strong]
        if not strong:
            return False
        if len({match.key for match in strong}) >= _ENOUGH_STRONG or any(
            self._is_telling(match.term) for match in strong
        ):
            return True
        total = sum(self._index.rarity(term) for term in query)
        return sum(self._index.rarity(match.term) for match in strong) >= total * _UNDERSTOOD

    def _is_telling(self, term: Term) -> bool:
        """A phrase or word of the field that few runbooks are about is enough, whatever stands around it."""
        return term.of_the_field and (term.phrase or self._index.rarity(term) >= _TELLING)

    def _fields(self, runbook: Runbook) -> dict[str, str]:
        fields = {
            "title": runbook.title,
            "opens": runbook.opens_when,
            "alerts": " ".join(self._alerts.of(runbook.slug)),
        }
        if page := runbook.text:
            by_tag = {section.tag: section for section in page.sections}
            steps = [title for section in page.sections for title in section.steps]
            fields |= {
                "symptoms": by_tag["symptoms"].text if "symptoms" in by_tag else "",
                "headings": "\n".join(steps),
                "body": page.text,
            }
        return fields


def _once(query: list[Term]) -> list[Term]:
    """A word that a log repeats counts once."""
    return list({term.keys: replace(term) for term in reversed(query)}.values())[::-1]


def _reason(match: Match) -> str:
    term = match.term
    if term.meant:
        return f"{term.surface} ({term.meant}?)"
    concept = match.key.removeprefix(CONCEPT)
    known = match.key.startswith(CONCEPT) and _plain(concept) not in _plain(term.surface)
    return f"{term.surface} ({concept})" if known else term.surface


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
