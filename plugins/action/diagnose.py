# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what was read, name the likely cause, and choose the branch that the evidence allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.diagnosis import diagnose, refusals
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line, show_diagnosis, show_findings
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.runbooks import known_branch, rules

ARGUMENT_SPEC = {
    "runbook": {"type": "str", "required": True},
    "findings": {"type": "list", "elements": "dict", "required": True},
    "branch": {"type": "str", "default": ""},
    "choose_branch": {"type": "bool", "default": False},
    "show": {"type": "str", "choices": ["everything", "findings", "cause", "nothing"], "default": "everything"},
}


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.diagnose)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """The diagnosis; failed only where a branch had to be chosen and none may act."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        try:
            result = _judge(options)
        except ConfigurationError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        if options["show"] in ("everything", "findings"):
            show_findings(options["findings"])
        if options["show"] in ("everything", "cause"):
            show_diagnosis(result["diagnosis"])
        if options["choose_branch"] and not result.get("failed"):
            line(f"Branch: {result['branch']}, {result['branch_title']}. Undo: {result['undo']}")
        return {"changed": False, **result}


def _judge(options: Mapping[str, Any]) -> dict[str, Any]:
    runbook = rules(options["runbook"])
    try:
        findings = [Finding.from_result(finding) for finding in options["findings"]]
    except (KeyError, TypeError) as error:
        raise ConfigurationError(
            f"not a finding ({error})", where="findings", remedy="hand over the findings of platform_facts"
        ) from None
    diagnosis = diagnose(findings, runbook.causes)
    likely = diagnosis["likely"]
    result: dict[str, Any] = {"diagnosis": diagnosis, "likely_cause": likely["id"] if likely else ""}
    if not options["choose_branch"]:
        return result
    name = options["branch"] or (likely["branch"] if likely else "")
    if not name:
        return {**result, "failed": True, "msg": _no_branch(likely)}
    branch = known_branch(runbook, name)
    forbidden = refusals(branch, findings)
    if forbidden:
        reasons = "; ".join(forbidden)
        return {**result, "failed": True, "branch": name, "msg": f"branch {name} is refused by the evidence: {reasons}"}
    return {**result, "branch": name, "branch_title": branch.title, "undo": branch.undo}


def _no_branch(likely: Mapping[str, Any] | None) -> str:
    if likely:
        return f"no branch resolves {likely['id']} ({likely['title']}); remedy: {likely['next_step']}"
    return (
        "no cause is confirmed, so no branch is chosen; remedy: read the findings above and name one with"
        " -e branch=<name>, or escalate"
    )
