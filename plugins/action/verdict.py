# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what is seen now with what was seen when the incident was opened; the exit code is the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line

ARGUMENT_SPEC = {
    "runbook": {"type": "str", "required": True},
    "environment": {"type": "str", "required": True},
    "directory": {"type": "path", "required": True},
    "findings": {"type": "list", "elements": "dict", "required": True},
    "diagnosis": {"type": "dict", "required": True},
    "must_be_ok": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.verdict)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """``recovered`` and ``reasons``; the play decides what follows."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        folder = incidents.latest(Path(options["directory"]), options["environment"], options["runbook"])
        before = incidents.opening(folder) if folder else None
        _compare(before, options["findings"], folder)
        reasons = not_recovered(options["findings"], options["diagnosis"], options["must_be_ok"])
        for reason in reasons:
            line(f"  not recovered: {reason}", "critical")
        if not reasons:
            line("Recovered.", "ok")
        if folder and not self._task.check_mode:
            incidents.note(folder, event="verification", recovered=not reasons, reasons=reasons)
        return {
            "changed": False,
            "recovered": not reasons,
            "reasons": reasons,
            "incident": str(folder) if folder else "",
        }


def not_recovered(
    findings: Sequence[Mapping[str, Any]], diagnosis: Mapping[str, Any], must_be_ok: Sequence[str]
) -> list[str]:
    """Why it cannot be called recovered; unknown is not recovered."""
    by_id = {finding["id"]: finding for finding in findings}
    reasons = [
        f"{name} is {by_id[name]['status']}: {by_id[name]['summary']}" if name in by_id else f"{name} was not read"
        for name in must_be_ok
        if by_id.get(name, {}).get("status") != "ok"
    ]
    reasons += [
        f"{finding['id']} is critical: {finding['summary']}"
        for finding in findings
        if finding["status"] == "critical" and finding["id"] not in must_be_ok
    ]
    if likely := diagnosis.get("likely"):
        reasons.append(f"there is still a likely cause: {likely['title']} ({likely['id']})")
    return reasons


def _compare(before: Mapping[str, Any] | None, now: Sequence[Mapping[str, Any]], folder: Path | None) -> None:
    if before is None:
        line("No opening state is kept for this incident, so there is nothing to compare with.")
        return
    line(f"Compared with the opening state in {folder}:")
    earlier = {finding["id"]: finding for finding in before["findings"]}
    for finding in now:
        old = earlier.get(finding["id"], {}).get("status", "not read")
        if old != finding["status"]:
            line(f"  {finding['component']:<14} {old} -> {finding['status']}  {finding['summary']}", finding["status"])
