# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranking, reasons, and when to stay silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.search import Search

INDEX = {
    "Water Damage": "the basement is wet, a pipe bursts, water on the floor",
    "Fire Alarm": "smoke, flames, the sprinkler sounds",
    "Lost Keys": "a door is locked and nobody has the key",
}
PAGE = """# Fire Alarm

**Severity:** P0
**Alerts:** HouseSmokeHigh, HouseBasementFlooded

## Overview
The basement has the mains.

## Symptoms
It smells burnt.

### 1. Leave the building
Go.
"""
MakeCatalogue = Callable[..., Catalogue]


def slugs(search: Search, text: str, limit: int = 3) -> list[str]:
    return [hit.runbook.slug for hit in search.find(text, limit)]


def test_a_word_of_the_index_finds_its_runbook_and_says_so(made_up: MakeCatalogue) -> None:
    hits = Search(made_up(INDEX)).find("there is Smoke in the kitchen")
    assert [(hit.runbook.slug, hit.why) for hit in hits] == [("fire-alarm", ("Smoke",))]


def test_two_words_beat_one(made_up: MakeCatalogue) -> None:
    index = {"One": "smoke and rain", "Two": "smoke and flames", "Three": "frost", "Four": "wind", "Five": "hail"}
    assert slugs(Search(made_up(index)), "smoke, flames") == ["two", "one"]


def test_a_title_says_more_than_a_symptom(made_up: MakeCatalogue) -> None:
    assert slugs(Search(made_up({"Other": "smoke", "Smoke": "thing"})), "much smoke")[0] == "smoke"


def test_a_rare_word_says_more_than_a_frequent_one(made_up: MakeCatalogue) -> None:
    index = {"One": "smoke", "Two": "smoke", "Three": "smoke", "Four": "flames"}
    assert slugs(Search(made_up(index)), "smoke flames")[0] == "four"


def test_a_mistyped_word_finds_its_runbook_and_says_what_was_understood(made_up: MakeCatalogue) -> None:
    hits = Search(made_up(INDEX)).find("spinkler")
    assert [hit.runbook.slug for hit in hits] == ["fire-alarm"]
    assert hits[0].why == ("spinkler (sprinkler?)",)


def test_a_synonym_says_what_it_stands_for(made_up: MakeCatalogue) -> None:
    hits = Search(made_up({"One": "certificate problems", "Two": "other"})).find("x509")
    assert [(hit.runbook.slug, hit.why) for hit in hits] == [("one", ("x509 (certificate)",))]


def test_an_alert_of_the_map_comes_first_then_the_pages_that_list_it(made_up: MakeCatalogue) -> None:
    catalogue = made_up(INDEX, {"HouseBasementFlooded": "water-damage"}, {"Fire Alarm": PAGE})
    hits = Search(catalogue).find("HouseBasementFlooded smoke smoke flames sprinkler")
    assert [hit.runbook.slug for hit in hits] == ["water-damage", "fire-alarm"]
    assert all(hit.why[0] == "alert HouseBasementFlooded" for hit in hits)


@pytest.mark.parametrize(
    "text",
    [
        "HouseSmokeHigh",
        "housesmokehigh",
        "HouseSmokHigh",
        "labels: alertname=HouseSmokeHigh,env=prod",
        "house smoke high",
    ],
)
def test_an_alert_is_known_in_any_case_with_a_slip_and_in_words(made_up: MakeCatalogue, text: str) -> None:
    catalogue = made_up(INDEX, {"HouseSmokeHigh": "lost-keys"})
    hits = Search(catalogue).find(text)
    assert (hits[0].runbook.slug, hits[0].why[0]) == ("lost-keys", "alert HouseSmokeHigh")


def test_the_prefix_of_an_alert_may_be_missing_or_too_much(made_up: MakeCatalogue) -> None:
    search = Search(made_up(INDEX, {"DhakaCartSmokeHigh": "lost-keys", "DoorOpenLong": "lost-keys"}))
    assert slugs(search, "SmokeHigh") == ["lost-keys"]
    assert slugs(search, "DhakaCartDoorOpenLong") == ["lost-keys"]


def test_an_alert_whose_runbook_is_not_in_the_index_is_left_out(made_up: MakeCatalogue) -> None:
    assert slugs(Search(made_up(INDEX, {"HouseSmokeHigh": "no-such-runbook"})), "HouseSmokeHigh")[:1] != [
        "no-such-runbook"
    ]


def test_an_exact_title_is_first_whatever_others_say_about_it(made_up: MakeCatalogue) -> None:
    search = Search(made_up({"One": "lost keys, lost keys, keys", "Lost Keys": "else"}))
    assert slugs(search, "lost keys")[0] == "lost-keys"
    assert search.find("lost-keys")[0].why[0] == "its title"


def test_steps_and_symptoms_of_a_page_are_searched(made_up: MakeCatalogue) -> None:
    search = Search(made_up(INDEX, pages={"Fire Alarm": PAGE}))
    assert slugs(search, "burnt smell") == ["fire-alarm"]
    assert slugs(search, "leave the building") == ["fire-alarm"]


def test_what_a_page_only_mentions_is_no_reason_to_open_it(made_up: MakeCatalogue) -> None:
    search = Search(made_up(INDEX, pages={"Fire Alarm": PAGE}))
    assert slugs(search, "mains") == []
    assert slugs(search, "basement")[0] == "water-damage"


@pytest.mark.parametrize("text", ["", " \n\t", "???", "the a of", "12345", "penguins and guitars"])
def test_where_nothing_is_relevant_nothing_is_found(made_up: MakeCatalogue, text: str) -> None:
    assert Search(made_up(INDEX)).find(text) == []


def test_one_known_word_among_many_strange_ones_is_chance(made_up: MakeCatalogue) -> None:
    search = Search(made_up(INDEX))
    assert slugs(search, "smoke") == ["fire-alarm"]
    assert slugs(search, "smoke salmon recipe lemon butter capers dill") == []


def test_no_more_than_the_limit_and_nothing_far_below_the_best(made_up: MakeCatalogue) -> None:
    index = {"Best": "smoke, flames, sprinkler, sirens, ladders", "Far": "smoke", "A": "rain", "B": "rain", "C": "rain"}
    search = Search(made_up(index))
    assert len(slugs(search, "rain", limit=2)) == 2
    assert slugs(search, "smoke") == ["far", "best"]
    assert slugs(search, "smoke flames sprinkler sirens ladders") == ["best"]


def test_the_runbooks_near_another_are_about_its_title_and_do_not_include_itself(made_up: MakeCatalogue) -> None:
    catalogue = made_up({"Flames": "heat", "Two": "flames and sirens", "Frost": "cold", "Four": "wind and flames"})
    near = Search(catalogue).near(catalogue.runbooks["flames"])
    assert {hit.runbook.slug for hit in near} == {"two", "four"}
    assert Search(catalogue).near(catalogue.runbooks["frost"]) == []


def test_the_same_text_finds_the_same_each_time(made_up: MakeCatalogue) -> None:
    search = Search(made_up(INDEX))
    assert search.find("wet door smoke") == search.find("wet door smoke")


def test_a_text_without_end_is_cut_not_refused(made_up: MakeCatalogue) -> None:
    assert slugs(Search(made_up(INDEX)), "smoke " * 100_000) == ["fire-alarm"]
