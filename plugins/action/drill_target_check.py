# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""drill_target_check in the controller's process; see plugin_utils/in_process.py."""

from __future__ import annotations

from ansible_collections.dhakacart.runbooks.plugins.modules.drill_target_check import ARGUMENT_SPEC, work
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line, show_findings
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.in_process import InProcessAction, warm

warm("boto3", "kubernetes.client", "kubernetes.config", "psycopg")


class ActionModule(InProcessAction):
    """The module M(dhakacart.runbooks.drill_target_check)."""

    MODULE = "drill_target_check"
    ARGUMENT_SPEC = ARGUMENT_SPEC
    work = staticmethod(work)

    def run(self, tmp=None, task_vars=None):
        """The module's result, and its findings for the person at the terminal."""
        result = super().run(tmp, task_vars)
        if not result.get("failed"):
            show_findings(result["findings"])
            for finding in result["findings"]:
                if finding["next_step"]:
                    line(f"  if it may be drilled: {finding['next_step']}")
        return result
