# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in one event of ansible-runner. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..finding import Finding

MOST_MESSAGE = 2000
NO_REASON = "no reason was given"


def epoch(created: object, otherwise: float) -> float:
    """Epoch seconds of an event's own time."""
    try:
        return datetime.fromisoformat(str(created)).timestamp()
    except ValueError:
        return otherwise


def result_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the module answered; empty where runner left it out."""
    result = data.get("res")
    return result if isinstance(result, dict) else {}


def reason(result: Mapping[str, Any]) -> str:
    """One line. A loop only counts its items; a command says why it failed on its standard error."""
    for item in result.get("results") or ():
        if isinstance(item, dict) and item.get("failed"):
            return f"{reason(item)} (item={item.get('_ansible_item_label', item.get('item'))})"
    said = str(result.get("msg") or result.get("censored") or _waited(result) or NO_REASON)
    rows = str(result.get("stderr") or result.get("module_stderr") or "").strip().splitlines()
    if rows and rows[-1] not in said:
        said += f": {rows[-1]}"
    return " ".join(said.split())[:MOST_MESSAGE]


def _waited(result: Mapping[str, Any]) -> str:
    """What a wait that was in vain saw last."""
    if "attempts" not in result:
        return ""
    rows = [Finding.from_result(row) for row in result.get("findings") or () if isinstance(row, dict)]
    seen = [f"{row.id} is {row.status}: {row.summary}" for row in rows if row.status != "ok"]
    return f"not so after {result['attempts']} looks" + (f"; last seen: {'; '.join(seen[:3])}" if seen else "")
