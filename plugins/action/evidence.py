# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep what was read, before anything is changed."""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Run

ARGUMENT_SPEC = {
    "runbook": {"type": "str", "required": True},
    "environment": {"type": "str", "required": True},
    "directory": {"type": "path", "required": True},
    "reading": {"type": "dict", "required": True},
}


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.evidence)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """The incident folder; nothing is written in check mode."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        reading = options["reading"]
        items = len(reading.get("findings", [])) + len(reading.get("facts", {}))
        root = Path(options["directory"]).resolve()
        if self._task.check_mode:
            line(f"  would save {items} items under {root}")
            return {"changed": False, "incident": "", "items": items}
        try:
            record = Run.of(task_vars or {}).joined(root, options["environment"], options["runbook"])
            path = record.keep({**reading, **{key: options[key] for key in ("runbook", "environment")}})
        except ConfigurationError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        line(f"  saved {items} items in {path}")
        return {
            "changed": False,
            "incident": str(record.folder),
            "items": items,
            "ansible_facts": record.facts(),
        }
