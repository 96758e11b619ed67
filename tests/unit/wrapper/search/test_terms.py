# SPDX-License-Identifier: GPL-3.0-or-later
"""What words stand for."""

from __future__ import annotations

import pytest
from dhakacart_runbooks.search.terms import terms, typos
from dhakacart_runbooks.search.text import stem, words
from dhakacart_runbooks.search.vocabulary import STOP, SYNONYMS


def concepts(text: str) -> set[str]:
    return {key for term in terms(words(text)) for key, _weight in term.keys if key.startswith("=")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgres", "RDS"),
        ("OOMKilled", "out of memory"),
        ("certificate", "TLS"),
        ("503", "bad gateway"),
        ("ENOTFOUND", "dns"),
        ("no space left on device", "disk is full"),
        ("sorry, too many clients already", "max connections"),
        ("ImagePullBackOff", "ErrImagePull"),
    ],
)
def test_words_of_the_field_that_mean_the_same_share_a_concept(one: str, other: str) -> None:
    assert concepts(one) & concepts(other)


def test_words_that_only_resemble_each_other_share_none() -> None:
    assert not concepts("deadlock") & concepts("deadline")
    assert not concepts("read replica") & concepts("read only")


def test_a_phrase_is_one_term_beside_its_words_and_tells_more_than_they_do() -> None:
    found = terms(words("connection refused"))
    assert found[0].phrase and found[0].surface == "connection refused"
    assert found[0].keys[0][1] > max(weight for term in found[1:] for _key, weight in term.keys)


def test_stop_words_are_no_terms_but_phrases_are_found_before_they_go() -> None:
    assert terms(words("what is the")) == []
    assert concepts("the server is not ready") >= {"=not ready"}


def test_a_mistyped_word_is_taken_for_the_nearest_known_one() -> None:
    query = words("datbase conection refussed")
    meant = typos(query, [stem("refused"), stem("connection")])
    assert [meant.get(word.stem) for word in query] == ["databas", "connection", "refus"]
    assert [term.meant for term in terms(query, meant) if not term.phrase] == ["databas", "connection", "refus"]


@pytest.mark.parametrize("word", ["joke", "pizza", "wonderwall", "grandma", "xkcdqzv"])
def test_a_strange_word_is_not_forced_into_a_known_one(word: str) -> None:
    assert typos(words(word), ["databas", "grafana", "panel"]) == {}


def test_a_word_that_is_known_is_never_a_typo() -> None:
    assert typos(words("lags postgres"), ["flags", "lag"]) == {}


def test_the_table_of_synonyms_has_no_name_twice_and_no_variant_that_is_lost() -> None:
    for name, variants in SYNONYMS.items():
        assert name and variants
        for variant in variants:
            assert words(variant), f"{name}: {variant!r} has no word left"
            assert f"={name}" in concepts(variant), f"{name}: {variant!r}"


def test_no_stop_word_is_the_only_word_of_a_synonym() -> None:
    single = {variant for variants in SYNONYMS.values() for variant in variants if " " not in variant}
    assert not single & STOP
