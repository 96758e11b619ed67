# SPDX-License-Identifier: GPL-3.0-or-later
"""What a text is about: its words, each with what it is a synonym of, and the phrases of the field in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from .text import Word, stem, words
from .vocabulary import STOP, SYNONYMS

SAME, SYNONYM, TYPO = 1.0, 0.85, 0.75
# A phrase is seldom there by chance.
PHRASE = 1.5
# How far a mistyped word may be from the one that was meant, by its length.
_SHORTEST_TYPO, _LONG = 5, 8
# A concept's key begins with it, as no word does.
CONCEPT = "="


@dataclass(frozen=True)
class Term:
    """A word or phrase of a text.

    :param surface: how it was written.
    :param keys: what it can be found by, each with how well that stands for it.
    :param meant: the word that a mistyped one was taken for; empty otherwise.
    """

    surface: str
    keys: tuple[tuple[str, float], ...]
    meant: str = ""
    phrase: bool = False

    @property
    def of_the_field(self) -> bool:
        """Whether the vocabulary knows it, not merely some page."""
        return any(key.startswith(CONCEPT) for key, _weight in self.keys)


def terms(found: Sequence[Word], meant: dict[str, str] | None = None) -> list[Term]:
    """The terms of a text, in order.

    :param meant: mistyped stems with the known ones that they stand for.
    """
    meant = meant or {}
    stems = [meant.get(word.stem, word.stem) for word in found]
    result = list(_phrases(found, stems))
    for word, key in zip(found, stems, strict=True):
        synonyms = _meanings().get((key,), ())
        if key in _stop_stems() and not synonyms:
            continue
        weight = TYPO if key != word.stem else SAME
        keys = ((key, weight), *((concept, weight * SYNONYM) for concept in synonyms))
        result.append(Term(word.surface, keys, meant=key if key != word.stem else ""))
    return result


def _phrases(found: Sequence[Word], stems: Sequence[str]) -> Iterator[Term]:
    """At each place the longest phrase that begins there."""
    for start in range(len(stems)):
        for length in range(min(_longest(), len(stems) - start), 1, -1):
            if concepts := _meanings().get(tuple(stems[start : start + length])):
                surface = " ".join(word.surface for word in found[start : start + length])
                yield Term(surface, tuple((concept, PHRASE) for concept in concepts), phrase=True)
                break


def typos(found: Iterable[Word], known: Iterable[str]) -> dict[str, str]:
    """Stems that nobody knows, each with the known stem that it was probably meant to be."""
    vocabulary = {*known, *(key[0] for key in _meanings() if len(key) == 1)}
    strange = {
        word.stem
        for word in found
        if len(word.stem) >= _SHORTEST_TYPO and word.stem not in vocabulary and word.stem not in _stop_stems()
    }
    if not strange:
        return {}
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    candidates = sorted(vocabulary)
    meant = {}
    for word in sorted(strange):
        allowed = 1 if len(word) < _LONG else 2
        # Of the same first letter: unavailable is not available mistyped.
        near = [c for c in candidates if len(c) >= _SHORTEST_TYPO - 1 and c[0] == word[0]]
        best = process.extractOne(word, near, scorer=OSA.distance, score_cutoff=allowed)
        if best:
            meant[word] = best[0]
    return meant


@cache
def _meanings() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Word or phrase, as stems → the keys of the concepts it stands for."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for concept, variants in SYNONYMS.items():
        for variant in variants:
            key = tuple(word.stem for word in words(variant))
            if key and CONCEPT + concept not in found.get(key, ()):
                found[key] = (*found.get(key, ()), CONCEPT + concept)
    return found


@cache
def _longest() -> int:
    return max(len(key) for key in _meanings())


@cache
def _stop_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in STOP)
