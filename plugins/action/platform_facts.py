# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""platform_facts in the controller's process; see plugin_utils/in_process.py."""

from __future__ import annotations

from ansible_collections.dhakacart.runbooks.plugins.modules.platform_facts import ARGUMENT_SPEC, work
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.in_process import InProcessAction, warm

warm("boto3", "kubernetes.client", "kubernetes.config", "psycopg", "redis")


class ActionModule(InProcessAction):
    """The module M(dhakacart.runbooks.platform_facts)."""

    MODULE = "platform_facts"
    ARGUMENT_SPEC = ARGUMENT_SPEC
    work = staticmethod(work)
