# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a person saw (a symptom, an error text, the name of an alert) to the runbooks it leads to."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from ..catalogue import Catalogue, Runbook
from ..errors import UsageError

MOST = 3


@dataclass(frozen=True)
class Asked:
    """What was asked.

    :param words: as it was typed; empty where nothing was.
    :param runbooks: what it leads to, the nearest first; every written one where nothing was typed.
    """

    words: str
    runbooks: tuple[Runbook, ...]

    @property
    def unwritten(self) -> tuple[Runbook, ...]:
        """Those that have no playbook yet."""
        return tuple(runbook for runbook in self.runbooks if not runbook.written)


def ask(catalogue: Catalogue, words: Sequence[str], alert: str | None) -> Asked:
    """The runbooks that an alert or a text leads to; the alert's comes first.

    :raises UsageError: there is no such alert.
    """
    text = " ".join(words).strip()
    slugs = [_of_alert(catalogue, alert)] if alert is not None else []
    slugs += _found(catalogue, text) if text else []
    if not slugs and not text:
        slugs = [slug for slug, runbook in catalogue.runbooks.items() if runbook.written]
    typed = " ".join(part for part in (alert, text) if part)
    return Asked(typed, tuple(catalogue.get(slug) for slug in dict.fromkeys(slugs)))


def _of_alert(catalogue: Catalogue, name: str) -> str:
    alerts = dict(catalogue.alerts)
    for slug, runbook in catalogue.runbooks.items():
        alerts.update({alert: slug for alert in runbook.alerts if alert not in alerts})
    by_name = {known.lower(): slug for known, slug in alerts.items()}
    slug = by_name.get(name.strip().lower(), "")
    if slug:
        return slug
    close = difflib.get_close_matches(name, alerts, n=1)
    hint = f"did you mean {close[0]}? Or " if close else ""
    raise UsageError(
        f"unknown alert {name!r}",
        where="--alert",
        remedy=f"{hint}type what you see: runbook triage too many connections",
    )


def _found(catalogue: Catalogue, text: str) -> list[str]:
    from ..search import Search

    return [hit.runbook.slug for hit in Search(catalogue).find(text, MOST)]
