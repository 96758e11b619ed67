# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Close a section: elapsed against its budget, the findings for machines, and what to type next."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Status
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Record, Run
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.runbooks import rules
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.sections import SECTIONS, clock, command

ARGUMENT_SPEC = {
    "runbook": {"type": "str", "required": True},
    "section": {"type": "str", "required": True, "choices": list(SECTIONS)},
    "started": {"type": "float", "required": True},
    "findings": {"type": "list", "elements": "dict", "default": []},
    "diagnosis": {"type": "dict", "default": {}},
    "recovered": {"type": "bool"},
    "controls": {"type": "list", "elements": "dict", "default": []},
}
MOST_UNREAD = 5
SEVERITY = [str(status) for status in Status]


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.next_step)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """``next`` and, for ansible-runner and EDA, the findings as stats; failed where the verdict is."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        section = SECTIONS[options["section"]]
        elapsed = time.time() - options["started"]
        following = _following(options, task_vars or {})
        over = elapsed > section.budget
        record = None if self._task.check_mode else Run.of(task_vars or {}).record
        if record:
            _write(record, options, elapsed, following)
        line(
            f"{options['runbook']} / {section.tag} took {clock(elapsed)} of {clock(section.budget)}",
            "warning" if over else "",
        )
        if over:
            line(f"Over its budget by {clock(elapsed - section.budget)}: think of escalation", "warning")
        line(f"Next: {following}")
        likely = options["diagnosis"].get("likely") or {}
        stats = {
            "dhakacart_findings": options["findings"],
            "dhakacart_sections": [
                {
                    "runbook": options["runbook"],
                    "section": section.tag,
                    "elapsed_seconds": round(elapsed, 2),
                    "budget_seconds": section.budget,
                    "likely_cause": likely.get("id", ""),
                    "next": following,
                }
            ],
        }
        verdict = {"failed": True, "msg": "not recovered, see above"} if options["recovered"] is False else {}
        return {
            **verdict,
            "changed": False,
            "next": following,
            "elapsed": round(elapsed, 2),
            "over_budget": over,
            "ansible_stats": {"data": stats, "per_host": False, "aggregate": True},
        }


def _write(record: Record, options: Mapping[str, Any], elapsed: float, following: str) -> None:
    """A record that cannot be written any more must not keep the next command from whoever needs it."""
    section = SECTIONS[options["section"]]
    recovered = {} if options["recovered"] is None else {"recovered": options["recovered"]}
    closed = {
        "section": section.tag,
        "run_id": record.run_id,
        "elapsed_seconds": round(elapsed, 2),
        "budget_seconds": section.budget,
        "next": following,
        **recovered,
    }
    judged = {"findings": options["findings"], "diagnosis": options["diagnosis"], "controls": options["controls"]}
    status = max(
        (str(finding["status"]) for finding in _configured(options["findings"])), key=SEVERITY.index, default=""
    )
    cause = (options["diagnosis"].get("likely") or {}).get("id", "")
    try:
        about = {"runbook": options["runbook"], "started": options["started"], "check": False}
        record.add_section(section.tag, {"recovered": None, **about, **closed, **judged})
        record.note("section", **closed, status=status, likely_cause=cause)
    except ConfigurationError as error:
        line(f"This section is not recorded: {error}", "warning")


def _following(options: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    runbook, section = options["runbook"], options["section"]
    likely = options["diagnosis"].get("likely")
    present = likely or any(finding.get("status") == "critical" for finding in options["findings"])
    unread = _unread(runbook, options["findings"])
    if section == "symptoms" and not present:
        following = command(runbook, "investigation", variables)
        return _not_known(unread, following) if unread else "nothing: no symptom of this runbook is present"
    if section == "symptoms":
        return command(runbook, "immediate", variables)
    if section == "immediate":
        return command(runbook, "investigation", variables)
    if section == "investigation":
        if not present and unread:
            return _not_known(unread, command(runbook, "escalation", variables))
        return _after_investigation(runbook, likely, variables, bool(present))
    if section == "resolution":
        return command(runbook, "verification", variables)
    if section == "verification" and options["recovered"] is False:
        return command(runbook, "escalation", variables)
    return {
        "verification": command(runbook, "prevention", variables),
        "prevention": f"read runbooks/emergency/{runbook}.md, Prevention, for each change that closes a gap",
        "escalation": command(runbook, "investigation", variables),
    }[section]


def _unread(runbook: str, findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """What could not be read and what the runbook's causes ask for; a standby that nobody configured is not unread."""
    asked = {test.finding for cause in rules(runbook).causes for test in cause.tests}
    return [
        finding["id"]
        for finding in _configured(findings)
        if finding["status"] == "unknown" and (finding["id"] in asked or finding["id"].endswith(".api"))
    ]


def _configured(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """All but those of parts that this environment rightly does not have."""
    return [finding for finding in findings if finding.get("evidence", {}).get("kind") != "not_configured"]


def _not_known(unread: Sequence[str], following: str) -> str:
    """What was not read may be what is wrong: it must not end in "nothing"."""
    more = f" and {len(unread) - MOST_UNREAD} more" if len(unread) > MOST_UNREAD else ""
    return f"not known, {', '.join(unread[:MOST_UNREAD])}{more} could not be read (why stands above); then: {following}"


def _after_investigation(
    runbook: str, likely: Mapping[str, Any] | None, variables: Mapping[str, Any], present: bool
) -> str:
    if likely and likely["branch"]:
        approval = "-e approve=true" if variables.get("dhakacart_approval_required") is not False else ""
        return command(runbook, "resolution", variables, approval)
    if likely:
        return str(likely["next_step"])
    return command(runbook, "escalation", variables) if present else "nothing: no cause was found"
