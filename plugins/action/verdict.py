# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what is seen now with what was seen when the incident was opened; the exit code is the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.diagnosis import diagnose
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import CONTROLS, line
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Record, Run, responder
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.runbooks import rules

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
        record, folder, before = _opened(options, Run.of(task_vars or {}))
        _compare(before, options["findings"], folder)
        opened_with = _causes_at_opening(options["runbook"], before)
        reasons = not_recovered(options["findings"], options["diagnosis"], options["must_be_ok"], opened_with)
        risks = open_risks(options["findings"], options["must_be_ok"])
        for reason in reasons:
            line(f"  not recovered: {reason}", "critical")
        for risk in risks:
            line(f"  open risk: {risk}", "warning")
        if not reasons:
            line("Recovered, with open risks." if risks else "Recovered.", "warning" if risks else "ok")
        if record and not self._task.check_mode:
            _note(record, reasons, risks)
        return {
            "changed": False,
            "recovered": not reasons,
            "reasons": reasons,
            "risks": risks,
            "incident": str(folder) if folder else "",
        }


def _opened(options: Mapping[str, Any], run: Run) -> tuple[Record | None, Path | None, dict[str, Any] | None]:
    """What is written into; the folder that the opening state stands in, and that state.

    Of an incident that is closed already the opening state is still what "now" is compared with.
    """
    where = (Path(options["directory"]).resolve(), options["environment"], options["runbook"])
    still_open = incidents.latest(*where, instance=run.instance)
    record = run.record or (run.at(still_open) if still_open else None)
    for folder in (record.folder if record else None, incidents.latest(*where, instance=run.instance, closed=True)):
        if folder and (before := incidents.opening(folder)):
            return record, folder, before
    return record, record.folder if record else None, None


def not_recovered(
    findings: Sequence[Mapping[str, Any]],
    diagnosis: Mapping[str, Any],
    must_be_ok: Sequence[str],
    opened_with: frozenset[str] | None,
) -> list[str]:
    """Why it cannot be called recovered; unknown is not recovered.

    :param opened_with: ids of the causes that were confirmed when the incident was opened; None when nothing is kept
        of it. A mere risk that came up since is no reason; the one the incident was opened for is.
    """
    by_id = {finding["id"]: finding for finding in findings}
    reasons = [
        f"{name} is {by_id[name]['status']}: {by_id[name]['summary']}" if name in by_id else f"{name} was not read"
        for name in must_be_ok
        if by_id.get(name, {}).get("status") != "ok"
    ]
    for cause in [diagnosis.get("likely"), *diagnosis.get("also", [])]:
        if cause and (not cause["risk"] or opened_with is None or cause["id"] in opened_with):
            reasons.append(f"the cause is still there: {cause['title']} ({cause['id']})")
    return reasons


def open_risks(findings: Sequence[Mapping[str, Any]], must_be_ok: Sequence[str]) -> list[str]:
    """What is critical and does not keep customers from being served."""
    return [
        f"{finding['id']} is critical: {finding['summary']}"
        for finding in findings
        if finding["status"] == "critical" and finding["id"] not in must_be_ok
    ]


def _note(record: Record, reasons: Sequence[str], risks: Sequence[str]) -> None:
    """A timeline that cannot be written must not hide the verdict."""
    verdict = {"recovered": not reasons, "reasons": list(reasons), "risks": list(risks), "run_id": record.run_id}
    try:
        record.note("verification", **verdict)
        if not reasons:
            record.note("closed", recovered=True, run_id=record.run_id, by=responder())
    except ConfigurationError as error:
        line(f"  not noted: {error}", "warning")


def _causes_at_opening(runbook: str, before: Mapping[str, Any] | None) -> frozenset[str] | None:
    if before is None:
        return None
    judged = diagnose([Finding.from_result(finding) for finding in before["findings"]], rules(runbook).causes)
    return frozenset(cause["id"] for cause in [judged["likely"], *judged["also"]] if cause)


def _compare(before: Mapping[str, Any] | None, now: Sequence[Mapping[str, Any]], folder: Path | None) -> None:
    if before is None:
        line("No opening state is kept for this incident, so there is nothing to compare with.")
        return
    line(f"Compared with the opening state in {folder}:")
    earlier = {finding["id"]: finding for finding in before["findings"]}
    for finding in now:
        old = earlier.get(finding["id"], {}).get("status", "not read")
        if old != finding["status"] and finding["id"] not in CONTROLS:
            line(f"  {finding['id']:<24} {old} -> {finding['status']}  {finding['summary']}", finding["status"])
