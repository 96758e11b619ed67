# SPDX-License-Identifier: GPL-3.0-or-later
"""From pasted text to words. What differs from one line to the next (times, ids, pod hashes) tells no cause."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .vocabulary import NUMBERS, WHOLE

# In this order: a timestamp contains what looks like a time, a UUID what looks like hexadecimal.
_NOISE = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),
        (
            r"\b\d{4}[-/.]\d\d[-/.]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:\s?(?:Z\b|UTC\b|[+-]\d\d:?\d\d\b))?",
            " ",
        ),
        (r"\b[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+", " "),
        (r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} \d\d:\d\d:\d\d\b", " "),
        (r"(?<![.\d:])\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b(?![:.]?\d)", " "),
        (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", " "),
        (r"\b0x[0-9a-fA-F]+\b|\bsha256:[0-9a-f]+", " "),
        # The replica set's and the pod's own part of a pod's name.
        (r"\b([a-z][a-z0-9-]*?)-(?=[a-z]*\d)[a-z0-9]{8,10}-[a-z0-9]{5}(?![a-z0-9])", r"\1 "),
        (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,}\b", " "),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", " "),
        (r"(?<![\w/])0/1(?![\w/])", " not ready "),
        (r"\.svc(?:\.cluster\.local)?\b", " "),
        (r"\bDhakaCart(?=[A-Z])", ""),
        (r"(?<=\w)['\u2019](?:s|t|re|ve|ll|d|m)\b", ""),
    )
)
_WORD = re.compile(r"[A-Za-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z][A-Za-z])")
_VOWEL = re.compile(r"[aeiouy]")


@dataclass(frozen=True)
class Word:
    """A word of a text.

    :param stem: what it is compared by.
    :param surface: how it was written.
    """

    stem: str
    surface: str


def words(text: str) -> list[Word]:
    """The words of a text, in order and without noise; ``DhakaCartPodNotReady`` is four. Stop words are still there."""
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    found: list[Word] = []
    for match in _WORD.finditer(text):
        written = match.group()
        parts = [written] if written.lower() in WHOLE else _CAMEL.split(written)
        found += [Word(stem(part.lower()), part) for part in parts if _means_something(part)]
    return found


def _means_something(part: str) -> bool:
    return not part.isdigit() or part in NUMBERS


def stem(word: str) -> str:
    """A rough English stem: equal for failed, failing and fails. ``word`` is in lower case."""
    if len(word) <= 3 or not word.isalpha():
        return word
    word = _without_plural(word)
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and _VOWEL.search(rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
            break
    word = word.removesuffix("e") if len(word) > 4 else word
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def _without_plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
