# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module of this collection inside the controller's process when the target is the controller.

Starting a module costs 0.4 s, an action plugin 0.1 s. What is imported at the top of an action plugin is imported by
the main process, once, and inherited by every worker it forks: that is why the SDKs are warmed up here.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import RunbookError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import without_secrets


def warm(*packages: str) -> None:
    """Import SDKs now; one that is missing is reported later, by the check that needs it.

    Modules live as long as the process: collecting garbage among them, while they are imported or in the workers, which
    would have to copy the pages that the collector touches, finds nothing.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        for package in packages:
            with contextlib.suppress(ImportError):
                __import__(package)
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


class InProcessAction(ActionBase):
    """An action with the name, options and result of a module.

    A subclass sets ``MODULE`` (its name), ``ARGUMENT_SPEC`` and ``work`` (options, check mode → result).
    """

    _requires_connection = False

    MODULE = ""
    ARGUMENT_SPEC: Mapping[str, Any] = {}
    work: Callable[[Mapping[str, Any], bool], dict[str, Any]]

    def run(self, tmp=None, task_vars=None):
        """The module's result; one line in ``msg`` when it fails."""
        super().run(tmp, task_vars)
        if self._connection.transport != "local" or self._task.async_val:
            name = f"dhakacart.runbooks.{self.MODULE}"
            answer = self._execute_module(module_name=name, module_args=self._task.args, task_vars=task_vars)
            return without_secrets(answer, task_vars or {})
        _result, options = self.validate_argument_spec(argument_spec=self.ARGUMENT_SPEC)
        try:
            answer = {"changed": False, **type(self).work(options, self._task.check_mode)}
        except RunbookError as error:
            answer = {"failed": True, "changed": False, "msg": str(error)}
        return without_secrets(answer, task_vars or {})
