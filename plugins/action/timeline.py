# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a line into the incident's timeline: what is about to be done and how it is undone, before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Record, Run, responder

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
        run = Run.of(task_vars or {})
        try:
            record = self._record(run, root, options)
            if record is None:
                return {"changed": False, "incident": ""}
            details = {name: value for name, value in options["details"].items() if value not in ("", None)}
            record.note(options["event"], **details, run_id=record.run_id, by=responder())
        except ConfigurationError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        return {"changed": False, "incident": str(record.folder), "ansible_facts": record.facts()}

    def _record(self, run: Run, root: Path, options: Mapping[str, Any]) -> Record | None:
        """Where the line goes; with a reading there is always one."""
        about = {key: options[key] for key in ("environment", "runbook")}
        if not options["reading"]:
            folder = incidents.latest(root, **about, instance=run.instance)
            return run.record or (run.at(folder) if folder else None)
        record = run.joined(root, **about)
        if not (record.folder / incidents.OPENING).exists():
            # Whoever went straight to the resolution has an opening state to compare with all the same.
            record.keep({**options["reading"], **about})
        return record
