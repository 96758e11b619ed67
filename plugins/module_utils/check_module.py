# SPDX-License-Identifier: BSD-2-Clause
"""What every check module does: read one system, judge it, answer. The only place of the checks that knows Ansible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ansible.module_utils.basic import AnsibleModule

from .core.errors import RunbookError
from .core.finding import Finding, Status, worst

FAIL_ON: dict[str, Any] = {"type": "str", "choices": ["never", "warning", "critical"], "default": "never"}


class System(Protocol):
    """The module ``system`` of each system's package."""

    NAME: str
    ARGUMENTS: dict[str, dict[str, Any]]

    def read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The facts."""

    def judge(self, observed: Mapping[str, Any], params: Mapping[str, Any]) -> list[Finding]:
        """The findings."""


def run_check(system: System) -> None:
    """Runs the check module of ``system``; ends the process as AnsibleModule does.

    A system that cannot be read is an answer (a finding), not a failure; only options that make no sense fail.
    """
    module = AnsibleModule(argument_spec={**system.ARGUMENTS, "fail_on": FAIL_ON}, supports_check_mode=True)
    try:
        facts = system.read(module.params)
        findings = system.judge(facts, module.params)
    except RunbookError as error:
        module.fail_json(msg=str(error))
    status = worst(findings)
    result = {
        "changed": False,
        "status": str(status),
        "healthy": status is Status.OK,
        "findings": [finding.to_result() for finding in sorted(findings, key=lambda finding: -finding.status)],
        "facts": facts,
    }
    fail_on = module.params["fail_on"]
    if fail_on != "never" and status >= Status.parse(fail_on):
        bad = [f"{finding.id}: {finding.summary}" for finding in findings if finding.status == status]
        module.fail_json(msg=f"{system.NAME} is {status}: {'; '.join(bad)}", **result)
    module.exit_json(**result)
