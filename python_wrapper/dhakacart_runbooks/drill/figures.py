# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill measured, into the incident record of its rehearsal: the report then shows the outage, RTO and RPO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .result import TIMES, Result
from .scenario import Scenario

FILE = "figures.json"


def figures(result: Result, scenario: Scenario) -> dict[str, Any]:
    """The content of the file; a figure that was not measured, or does not apply, is missing."""
    down = result.observed.downtime
    outages = []
    if down and down.started is not None:
        ended = down.started + down.seconds if down.seconds is not None else None
        outages.append({"began": down.started, "ended": ended})
    rows: list[dict[str, Any]] = [
        _row("RTO", result.rto, scenario.objectives.rto_seconds),
        _row("RPO", result.rpo, scenario.objectives.rpo_seconds),
        *(_row(f"time to {step}", result.at.get(step), None) for step in TIMES),
    ]
    return {
        "measured_by": f"drill {result.id}",
        "outages": outages,
        "figures": [row for row in rows if row["value"] is not None],
    }


def _row(name: str, value: float | None, target: float | None) -> dict[str, Any]:
    """``met`` is None for a figure without an objective."""
    met = None if value is None or target is None else value <= target
    return {"name": name, "value": value, "unit": "s", "target": target, "met": met}


def write(record: str, result: Result, scenario: Scenario) -> None:
    """Beside the rest of the record. One that is gone or full keeps the drill from nothing: the journal has it all."""
    folder = Path(record)
    if not record or not folder.is_dir():
        return
    try:
        (folder / FILE).write_text(json.dumps(figures(result, scenario), indent=1) + "\n", encoding="utf-8")
    except OSError:
        return
