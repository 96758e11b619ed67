# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads: the wrong first, what says the same together, and nothing lost."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import console


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Lines with their colour."""
    lines: list[tuple[str, str | None]] = []
    monkeypatch.setattr(console.display, "display", lambda text, color=None: lines.append((text, color)))
    return lines


def seen(component: str, status: str, summary: str = "", name: str = "") -> dict[str, Any]:
    return {"id": name or f"x.{component}", "component": component, "status": status, "summary": summary}


def test_what_says_the_same_stands_in_one_line(shown: list[tuple[str, str | None]]) -> None:
    reason = "not judged: the primary cannot be read (refused)"
    console.show_findings([seen(name, "unknown", reason) for name in ("role", "lag", "locks", "slots")])
    assert [text for text, _ in shown] == [f"  unknown   role, lag and 2 more  {reason}"]


@pytest.mark.parametrize(
    ("components", "together"),
    [
        (["a"], "a"),
        (["a", "b"], "a, b"),
        (["a", "b", "c"], "a, b and 1 more"),
        (["a", "a", "a"], "a"),
        (["a", "a", "b"], "a, b"),
        (["a", "b", "c", "c"], "a, b and 1 more"),
    ],
)
def test_more_counts_what_is_not_named(
    shown: list[tuple[str, str | None]], components: list[str], together: str
) -> None:
    console.show_findings([seen(name, "warning", "slow") for name in components])
    assert [text.split(maxsplit=1)[1] for text, _ in shown] == [f"{together}  slow"]


def test_another_status_or_summary_is_another_line(shown: list[tuple[str, str | None]]) -> None:
    console.show_findings([seen("a", "critical", "x"), seen("b", "warning", "x"), seen("c", "warning", "y")])
    assert [text.split() for text, _ in shown] == [["critical", "a", "x"], ["warning", "b", "x"], ["warning", "c", "y"]]


def test_what_is_ok_is_named_in_one_last_line(shown: list[tuple[str, str | None]]) -> None:
    console.show_findings([seen("a", "ok"), seen("b", "critical", "x"), seen("c", "ok"), seen("a", "ok")])
    assert [text for text, _ in shown] == ["  critical  b  x", "  ok        a, c"]


def test_settings_that_are_as_yesterday_are_left_out(shown: list[tuple[str, str | None]]) -> None:
    console.show_findings([seen("settings", "warning", "no timeout", "postgresql.settings")])
    assert shown == []


def test_a_status_has_its_colour_and_its_word(shown: list[tuple[str, str | None]]) -> None:
    for status in ("critical", "warning", "unknown", "ok"):
        console.show_findings([seen("a", status, "x")])
    assert [text.split()[0] for text, _ in shown] == ["critical", "warning", "unknown", "ok"]
    assert len({colour for _, colour in shown}) == 4


def test_an_endless_summary_is_cut(shown: list[tuple[str, str | None]]) -> None:
    console.show_findings([seen("a", "critical", "x" * 5000)])
    assert shown[0][0].count("x") == console.MOST_SUMMARY


def test_a_diagnosis_names_cause_evidence_others_and_what_was_not_read(shown: list[tuple[str, str | None]]) -> None:
    console.show_diagnosis(
        {
            "likely": {"id": "fire", "title": "It burns", "rests_on": ["heat: 90 °C"]},
            "also": [{"id": "smoke", "title": "It smokes"}],
            "possible": [{"id": "flood", "title": "It floods", "unread": ["water", "rain"]}],
        }
    )
    assert [text for text, _ in shown] == [
        "Likely cause: It burns (fire)",
        "  because  heat: 90 °C",
        "Also: It smokes (smoke)",
        "Not ruled out: It floods, because water, rain could not be read",
    ]


def test_without_a_confirmed_cause_none_is_named(shown: list[tuple[str, str | None]]) -> None:
    console.show_diagnosis({"likely": None, "also": [], "possible": []})
    assert [text for text, _ in shown] == ["Likely cause: none that the evidence confirms"]
