# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shell offers when a person presses Tab: nothing where it cannot answer, and never an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps

import typer

from ..catalogue import Catalogue

Offer = tuple[str, str]


def _quietly(offers: Callable[[str, str], Iterable[Offer]]) -> Callable[[typer.Context, str], list[Offer]]:
    """``(runbook, incomplete) -> offers`` as Typer calls it; an error is no offer."""

    @wraps(offers)
    def complete(ctx: typer.Context, incomplete: str) -> list[Offer]:
        try:
            found = list(offers(str(ctx.params.get("runbook") or ""), incomplete))
        except Exception:  # a shell that completes has nowhere to show one
            return []
        return [offer for offer in found if offer[0].startswith(incomplete)]

    # Typer chooses the arguments by their annotations, and ``wraps`` would show it the inner ones.
    del complete.__wrapped__
    complete.__annotations__ = {"ctx": typer.Context, "incomplete": str, "return": list[Offer]}
    return complete


@_quietly
def complete_slug(_runbook: str, _incomplete: str) -> Iterable[Offer]:
    """Runbooks that are written, with their titles."""
    return [(runbook.slug, runbook.title) for runbook in Catalogue.load().runbooks.values() if runbook.written]


@_quietly
def complete_section(runbook: str, _incomplete: str) -> Iterable[Offer]:
    """The sections of the runbook that stands on the line; of every runbook where none does."""
    catalogue = Catalogue.load()
    slugs = [runbook] if runbook else [slug for slug, found in catalogue.runbooks.items() if found.written]
    tags = {section.tag: section.gated for slug in slugs for section in catalogue.get(slug).sections}
    return [(tag, "runs only when asked for" if gated else "reads only") for tag, gated in tags.items()]


@_quietly
def complete_inventory(_runbook: str, incomplete: str) -> Iterable[Offer]:
    """Names of inventories; none for what looks like a path, which the shell completes itself."""
    return [] if "/" in incomplete else [(name, "") for name in Catalogue.load().inventories()]


@_quietly
def complete_drill(_runbook: str, _incomplete: str) -> Iterable[Offer]:
    """Drills of the collection, by file name."""
    folder = Catalogue.load().collection.root / "drills"
    return [(path.stem, "") for path in sorted(folder.glob("*.yml"))]
