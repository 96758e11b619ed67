# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads in the terminal. Colour repeats what the words say; Display honours NO_COLOR and pipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible import constants as C
from ansible.utils.display import Display

display = Display()
COLOURS = {"ok": C.COLOR_OK, "unknown": C.COLOR_VERBOSE, "warning": C.COLOR_WARN, "critical": C.COLOR_ERROR}


def line(text: str, status: str = "") -> None:
    """One line, in the colour of a status."""
    display.display(text, color=COLOURS.get(status))


def show_findings(findings: Iterable[Mapping[str, Any]]) -> None:
    """What is wrong first, each with its evidence in one line; what is well in one line together."""
    listed = list(findings)
    width = max((len(finding["component"]) for finding in listed), default=0)
    for finding in listed:
        if finding["status"] != "ok":
            line(f"  {finding['status']:<9} {finding['component']:<{width}}  {finding['summary']}", finding["status"])
    well = [finding["component"] for finding in listed if finding["status"] == "ok"]
    if well:
        names = ", ".join(dict.fromkeys(well))
        line(f"  {'ok':<9} {names}", "ok")


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
        line(f"Not ruled out: {possible['title']}, because {', '.join(possible['unread'])} could not be read", "unknown")
