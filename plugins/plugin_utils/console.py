# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads in the terminal. Colour repeats what the words say; Display honours NO_COLOR and pipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible import constants as C
from ansible.utils.display import Display

display = Display()
# Findings on settings that are as they were yesterday: `prevention` shows them, an incident does not need them.
CONTROLS = frozenset({"postgresql.settings"})
MOST_SUMMARY = 240
COLOURS = {"ok": C.COLOR_OK, "unknown": C.COLOR_VERBOSE, "warning": C.COLOR_WARN, "critical": C.COLOR_ERROR}


def line(text: str, status: str = "") -> None:
    """One line, in the colour of a status."""
    display.display(text, color=COLOURS.get(status))


def show_findings(findings: Iterable[Mapping[str, Any]]) -> None:
    """What is wrong first, each with its evidence in one line; what says the same thing in one line together."""
    listed = [finding for finding in findings if finding["id"] not in CONTROLS]
    grouped: dict[tuple[str, str], list[str]] = {}
    for finding in listed:
        if finding["status"] != "ok":
            grouped.setdefault((finding["status"], finding["summary"]), []).append(finding["component"])
    rows = [(status, _together(components), summary) for (status, summary), components in grouped.items()]
    width = min(24, max((len(row[1]) for row in rows), default=0))
    for status, who, summary in rows:
        line(f"  {status:<9} {who:<{width}}  {summary[:MOST_SUMMARY]}", status)
    well = [finding["component"] for finding in listed if finding["status"] == "ok"]
    if well:
        line(f"  {'ok':<9} {_together(well, most=99)}", "ok")


def _together(components: list[str], most: int = 2) -> str:
    names = list(dict.fromkeys(components))
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def show_diagnosis(diagnosis: Mapping[str, Any]) -> None:
    """The likely cause and what it rests on, other causes, and what could not be told."""
    likely = diagnosis["likely"]
    if likely:
        line(f"Likely cause: {likely['title']} ({likely['id']})", "critical")
        for evidence in likely["rests_on"]:
            line(f"  because  {evidence}")
        for other in diagnosis["also"]:
            line(f"Also: {other['title']} ({other['id']})", "warning")
    else:
        line("Likely cause: none that the evidence confirms")
    for possible in diagnosis["possible"]:
        line(
            f"Not ruled out: {possible['title']}, because {', '.join(possible['unread'])} could not be read", "unknown"
        )
