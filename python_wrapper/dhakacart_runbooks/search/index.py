# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a term fits a runbook: BM25 over weighted fields (BM25F), in memory."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .terms import CONCEPT, Term, terms
from .text import words

# How much a word counts where it stands, and how much a long text thins its words out.
WEIGHTS = {"title": 3.0, "opens": 2.5, "alerts": 1.5, "symptoms": 1.0, "headings": 0.7, "body": 0.1}
_THINNING = {"title": 0.0, "opens": 0.3, "alerts": 0.3, "symptoms": 0.3, "headings": 0.5, "body": 0.5}
# A page says "restart" twenty times and is about something else; further mentions in the text add nothing.
_BODY_MENTIONS = 2
_SATURATION = 1.5


@dataclass(frozen=True)
class Match:
    """A term of the query in a document.

    :param key: by which of its keys it was found.
    :param strong: found in a field that says what the document is for, not merely in its text.
    """

    term: Term
    key: str
    score: float
    strong: bool


class Index:
    """Documents of several fields each.

    :param documents: name → field (of ``WEIGHTS``) → text.
    """

    def __init__(self, documents: Mapping[str, Mapping[str, str]]) -> None:
        fields = {name: {part: _counts(text, part) for part, text in of.items()} for name, of in documents.items()}
        typical = {part: _typical_length(part, fields.values()) for part in WEIGHTS}
        self._presence = {name: _presence(of, typical) for name, of in fields.items()}
        self._strong = {
            name: {key for part, counts in of.items() if part != "body" for key in counts}
            for name, of in fields.items()
        }
        having = Counter(key for present in self._presence.values() for key in present)
        self._rarities = {key: _rarity(count, len(fields)) for key, count in having.items()}
        self._unknown = _rarity(0, len(fields))

    @property
    def known(self) -> Iterable[str]:
        """Every word of the documents, as stems."""
        return (key for key in self._rarities if not key.startswith(CONCEPT))

    def rarity(self, term: Term) -> float:
        """How much a term tells: high for one that few documents have, highest for one that none has."""
        return max(self._rarities.get(key, self._unknown) for key, _weight in term.keys)

    def match(self, query: Iterable[Term], name: str) -> list[Match]:
        """The terms of a query that a document has."""
        found = (self._best(term, name) for term in query)
        return [match for match in found if match]

    def _best(self, term: Term, name: str) -> Match | None:
        present = self._presence[name]
        candidates = [
            Match(term, key, weight * self._rarities[key] * present[key], key in self._strong[name])
            for key, weight in term.keys
            if key in present
        ]
        return max(candidates, key=lambda match: match.score, default=None)


def _rarity(having: int, documents: int) -> float:
    return math.log(1 + (documents - having + 0.5) / (having + 0.5))


def _presence(fields: Mapping[str, Counter[str]], typical: Mapping[str, float]) -> dict[str, float]:
    """How much a document is about each of its words, from 0 to 1."""
    weighted: dict[str, float] = defaultdict(float)
    for part, counts in fields.items():
        length = counts.total() / typical[part] if typical[part] else 1.0
        weight = WEIGHTS[part] / (1 - _THINNING[part] + _THINNING[part] * length)
        for key, mentions in counts.items():
            weighted[key] += weight * (min(mentions, _BODY_MENTIONS) if part == "body" else mentions)
    return {key: value / (_SATURATION + value) for key, value in weighted.items()}


def _typical_length(part: str, documents: Iterable[Mapping[str, Counter[str]]]) -> float:
    lengths = [fields[part].total() for fields in documents if fields.get(part)]
    return sum(lengths) / len(lengths) if lengths else 0.0


def _counts(text: str, part: str) -> Counter[str]:
    found = terms(words(text))
    if part == "body":  # of what a page mentions only the words of the field say something
        found = [term for term in found if term.of_the_field]
    return Counter(key for term in found for key, _weight in term.keys)
