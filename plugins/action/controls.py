# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show which preventive controls are there, which are missing, and the change that closes each gap."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.causes.database_controls import audit
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line

ARGUMENT_SPEC = {
    "findings": {"type": "list", "elements": "dict", "required": True},
    "limits": {"type": "dict", "required": True},
}
WORDS = {True: ("present", "ok"), False: ("missing", "warning"), None: ("unknown", "unknown")}


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.controls)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """All controls; a gap is no failure."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        try:
            rows = audit([Finding.from_result(finding) for finding in options["findings"]], options["limits"])
        except ConfigurationError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        for row in rows:
            word, status = WORDS[row["present"]]
            line(f"  {word:<9} {row['title']}", status)
            if row["present"] is False:
                line(f"            change: {row['change']}")
        return {"changed": False, "controls": rows, "gaps": [row["title"] for row in rows if row["present"] is False]}
