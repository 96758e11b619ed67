# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored events, which a person or a disk may have damaged."""

from __future__ import annotations

from typing import Any

import pytest
from dhakacart_runbooks.cli.history_view import show_events
from dhakacart_runbooks.history.rows import RunRow
from rich.console import Console


@pytest.mark.parametrize(
    "event",
    [
        {"event": "said", "text": "x", "time": "yesterday"},
        {"event": "said", "text": "x", "time": 1e300},
        {"event": "diagnosed", "diagnosis": "text"},
        {"event": "diagnosed", "diagnosis": {"likely": ["x"]}},
        {"event": "section_finished", "section": "immediate", "elapsed_seconds": "soon", "budget_seconds": []},
        {"event": "run_finished", "outcome": "healthy"},
        {"event": "findings_read", "findings": 3},
    ],
)
def test_an_event_of_the_wrong_shape_is_shown_as_far_as_it_goes(event: dict[str, Any]) -> None:
    console = Console(record=True, width=200)

    show_events(console, RunRow(id="1", runbook="x", started=1.0), [event])

    assert len(console.export_text().splitlines()) == 1
