# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a line into the incident's timeline: what is about to be done and how it is undone, before it is done."""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents

ARGUMENT_SPEC = {
    "runbook": {"type": "str", "required": True},
    "environment": {"type": "str", "required": True},
    "directory": {"type": "path", "required": True},
    "event": {"type": "str", "required": True},
    "details": {"type": "dict", "default": {}},
    "reading": {"type": "dict"},
}


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.timeline)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """The incident folder; nothing is written in check mode."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        root = Path(options["directory"]).resolve()
        if self._task.check_mode:
            return {"changed": False, "incident": ""}
        try:
            folder = incidents.latest(root, options["environment"], options["runbook"])
            if folder is None and options["reading"]:
                # Whoever went straight to the resolution has an opening state to compare with all the same.
                kept = incidents.worth_keeping(options["reading"])
                folder = incidents.create(root, options["environment"], options["runbook"], kept)
            if folder is not None:
                incidents.note(folder, event=options["event"], **options["details"])
        except ConfigurationError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        return {"changed": False, "incident": str(folder) if folder else ""}
