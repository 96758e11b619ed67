# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""autoscaler_hold in the controller's process; see plugin_utils/in_process.py."""

from __future__ import annotations

from ansible_collections.dhakacart.runbooks.plugins.modules.autoscaler_hold import ARGUMENT_SPEC, work
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.in_process import InProcessAction, warm

warm("kubernetes.client", "kubernetes.config")


class ActionModule(InProcessAction):
    """The module M(dhakacart.runbooks.autoscaler_hold)."""

    MODULE = "autoscaler_hold"
    ARGUMENT_SPEC = ARGUMENT_SPEC
    work = staticmethod(work)

    def run(self, tmp=None, task_vars=None):
        """The module's result, and a line that says what was done and how to undo it."""
        result = super().run(tmp, task_vars)
        word = "would be " if self._task.check_mode else ""
        if result.get("failed"):
            line(f"  not {self._task.args.get('state', 'held')}: {result.get('msg', '')}", "warning")
        elif result["changed"]:
            bounds = "{minReplicas} to {maxReplicas}".format(**result["after"])
            line(f"  {word}{self._task.args.get('state', 'held')} at {bounds}   undo: {result['undo']}")
        return result
