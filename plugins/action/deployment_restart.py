# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""deployment_restart in the controller's process; see plugin_utils/in_process.py."""

from __future__ import annotations

from ansible_collections.dhakacart.runbooks.plugins.modules.deployment_restart import ARGUMENT_SPEC, work
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.in_process import InProcessAction, warm

warm("kubernetes.client", "kubernetes.config")


class ActionModule(InProcessAction):
    """The module M(dhakacart.runbooks.deployment_restart)."""

    MODULE = "deployment_restart"
    ARGUMENT_SPEC = ARGUMENT_SPEC
    work = staticmethod(work)
