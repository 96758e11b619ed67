#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_restart
short_description: Restart the pods of a deployment, one after the other
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Does what C(kubectl rollout restart) does, in the cluster and with the credentials that the checks use, so that
    what is restarted is what was judged. It does not wait for the new pods.
  - A deployment whose rollout is paused is refused, because nothing would happen.
options:
  connection:
    description: The options of M(dhakacart.runbooks.kubernetes_workload_check).
    type: dict
    required: true
  deployment:
    description: Name of the deployment.
    type: str
    required: true
requirements:
  - kubernetes
attributes:
  check_mode:
    description: The server is asked with a dry run.
    support: full
  diff_mode:
    description: A restart changes one annotation.
    support: none
"""

EXAMPLES = r"""
- name: Restart the backend pods
  dhakacart.runbooks.deployment_restart:
    connection: "{{ dhakacart_systems.kubernetes }}"
    deployment: dhakacart-backend
"""

RETURN = r"""
restarted_at:
  description: When the restart was asked for, UTC.
  returned: success
  type: str
  sample: "2026-11-23T03:04:05Z"
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.errors import RunbookError
from ..module_utils.kubernetes.restart import restart

ARGUMENT_SPEC = {
    "connection": {"type": "dict", "required": True},
    "deployment": {"type": "str", "required": True},
}


def work(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Ask for the restart."""
    return restart(options["connection"], options["deployment"], dry_run=check_mode)


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**work(module.params, module.check_mode))
    except RunbookError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
