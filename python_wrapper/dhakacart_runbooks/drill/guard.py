# SPDX-License-Identifier: GPL-3.0-or-later
"""May this be broken on purpose? The inventory must allow it, and the live systems must be the lab that is meant.

The inventory alone is never believed: its addresses may lead anywhere. The tool ``drill-target`` asks Kubernetes,
PostgreSQL and RDS themselves, at the addresses and with the credentials that the runbook is going to use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..finding import Finding, Status
from ..request import RunRequest
from .section import run_section

if TYPE_CHECKING:
    from .bench import Bench

TOOL = "drill-target"
ASKED = ("identity.inventory", "identity.kubernetes", "identity.database", "identity.rds")
REMEDY = "drill the lab (-i lab), or a lab that plays staging"


class Refused(UsageError):
    """This is not to be broken; nothing was."""


def check_target(bench: Bench) -> None:
    """Refused unless inventory and live systems agree that this is the drillable target that the faults go to."""
    request = RunRequest(runbook=TOOL, inventory=bench.inventory, overlays=bench.target.overlays, timeout=60)
    asked = run_section(bench.launcher, request, bench.progress.event)
    bench.entry.runs.append(asked.outcome.run_id)
    name = bench.inventory or "lab"
    if problem := refusal(asked.outcome.findings, bench.target.identity):
        raise Refused(problem, where=f"inventory {name}", remedy=REMEDY)
    if not asked.done:
        what = asked.outcome.message or f"the run ended as {asked.outcome.status}"
        raise Refused(
            f"the live systems could not be asked what they are: {what}", where=f"inventory {name}", remedy=REMEDY
        )


def refusal(findings: Iterable[Finding], identity: str) -> str:
    """Why it must not be broken; empty where it may. What was not answered is a no."""
    by_id = {finding.id: finding for finding in findings}
    # The worst first, and the inventory's own word before what was asked of the systems.
    for finding in sorted(by_id.values(), key=lambda f: (f.id != "identity.inventory", -f.status.severity)):
        if finding.id.startswith("identity.") and finding.status is not Status.OK:
            return f"refused: {finding.summary}"
    for needed in ASKED:
        if needed not in by_id:
            return f"refused: no answer to {needed}"
    for finding in (by_id[needed] for needed in ASKED[1:]):
        for part, says in finding.evidence.items():
            stated = str(says.get("lab_id") or "") if isinstance(says, Mapping) else ""
            if stated != identity:
                told = f"lab {stated!r}" if stated else "no lab"
                return f"refused: {part} says it is {told}, the faults would go to lab {identity!r}"
    return ""
