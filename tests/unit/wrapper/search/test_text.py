# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of pasted lines."""

from __future__ import annotations

import pytest
from dhakacart_runbooks.search.text import stem, words


def surfaces(text: str) -> list[str]:
    return [word.surface for word in words(text)]


@pytest.mark.parametrize(
    "noise",
    [
        "2026-11-23T03:14:15.926Z",
        "2026-11-23 03:04:11.204 UTC [18934]",
        "2026-11-23T03:14:15+06:00",
        "2026/11/23 03:14:15",
        "Nov 23 03:14:15",
        "E1123 03:14:15.123456",
        "03:14",
        "\x1b[31m",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "0x7ffdeadbeef",
        "4f2a9c1e7b",
        "sha256:9f86d081884c7d65",
        "10.0.100.12",
        "[1893]",
    ],
)
def test_what_differs_from_line_to_line_is_left_out(noise: str) -> None:
    assert surfaces(f"{noise} refused {noise}") == ["refused"]


def test_a_pod_is_known_by_its_deployment() -> None:
    assert surfaces("pod dhakacart-backend-7d9f8b6c5d-x2x9q_dhakacart") == ["pod", "dhakacart", "backend", "dhakacart"]


def test_a_name_in_capitals_inside_is_its_words() -> None:
    assert surfaces("DhakaCartPodNotReady OOMKilled CrashLoopBackOff") == [
        *("Pod", "Not", "Ready"),
        *("OOM", "Killed"),
        "CrashLoopBackOff",
    ]


def test_an_abbreviation_in_the_plural_is_one_word() -> None:
    assert [(word.surface, word.stem) for word in words("CVEs PODs")] == [("CVEs", "cve"), ("PODs", "pod")]


def test_names_that_only_look_as_if_they_were_several_words_stay_whole() -> None:
    assert surfaces("PostgreSQL NaN PromQL") == ["PostgreSQL", "NaN", "PromQL"]


def test_numbers_stay_only_when_they_are_names() -> None:
    assert surfaces("status 503 after 17 tries on db:5432, exit code 137, 900.00 seconds") == [
        *("status", "503", "after", "tries", "on", "db", "5432", "exit", "code", "137", "seconds")
    ]


def test_pods_of_which_none_is_ready_are_not_ready() -> None:
    assert surfaces("backend 0/1 Running") == ["backend", "not", "ready", "Running"]


@pytest.mark.parametrize(
    "family",
    [
        ("fail", "fails", "failed", "failing"),
        ("query", "queries"),
        ("crash", "crashes", "crashed", "crashing"),
        ("drop", "drops", "dropped", "dropping"),
        ("restore", "restores", "restored", "restoring"),
        ("index", "indexes"),
    ],
)
def test_forms_of_a_word_have_one_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize(("one", "other"), [("access", "acces"), ("status", "statu"), ("redis", "redi"), ("dns", "dn")])
def test_a_word_that_only_ends_like_a_plural_is_left_alone(one: str, other: str) -> None:
    assert stem(one) != other
