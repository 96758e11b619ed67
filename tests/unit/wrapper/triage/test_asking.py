# SPDX-License-Identifier: GPL-3.0-or-later
"""From an alert or a symptom to the runbooks it leads to."""

from __future__ import annotations

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.triage.asking import ask


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def slugs(catalogue: Catalogue, text: str = "", alert: str | None = None) -> list[str]:
    return [runbook.slug for runbook in ask(catalogue, text.split(), alert).runbooks]


def test_without_a_word_every_written_runbook_is_meant(catalogue: Catalogue) -> None:
    assert slugs(catalogue) == [slug for slug, runbook in catalogue.runbooks.items() if runbook.written]


def test_a_symptom_leads_to_its_runbook_first(catalogue: Catalogue) -> None:
    assert slugs(catalogue, "too many connections")[0] == "database-failure"


def test_every_alert_of_the_map_leads_to_its_runbook(catalogue: Catalogue) -> None:
    assert catalogue.alerts
    for name, slug in catalogue.alerts.items():
        assert slugs(catalogue, alert=name) == [slug]
        assert slugs(catalogue, alert=name.lower()) == [slug]


def test_an_alert_stands_before_what_was_typed_beside_it(catalogue: Catalogue) -> None:
    asked = ask(catalogue, ["too", "many", "connections"], "PrometheusTargetDown")
    assert asked.words == "PrometheusTargetDown too many connections"
    assert [runbook.slug for runbook in asked.runbooks][:2] == ["monitoring-issues", "database-failure"]
    assert "monitoring-issues" in [runbook.slug for runbook in asked.unwritten]


def test_words_that_lead_nowhere_are_no_error(catalogue: Catalogue) -> None:
    assert slugs(catalogue, "zzzz qqqq") == []


def test_an_unknown_alert_is_one_line_with_the_nearest(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError) as caught:
        ask(catalogue, (), "DatabaseConectionHigh")
    assert str(caught.value).startswith("--alert: unknown alert 'DatabaseConectionHigh'; remedy: did you mean ")
