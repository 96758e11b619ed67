#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaler_hold
short_description: Pin a horizontal pod autoscaler to the size of now, and let it go again
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - A database that is down makes pods look idle, and one that comes back is flooded when they are all started again.
  - Held, the autoscaler keeps its present size. Its own bounds are kept in an annotation, from which O(state=released)
    restores them, also from another machine.
options:
  connection:
    description: The options of M(dhakacart.runbooks.kubernetes_workload_check).
    type: dict
    required: true
  autoscaler:
    description: Name of the autoscaler.
    type: str
    required: true
  state:
    description: Whether it is held.
    type: str
    choices: [held, released]
    default: held
requirements:
  - kubernetes
attributes:
  check_mode:
    description: The server is asked with a dry run.
    support: full
  diff_mode:
    description: The result holds the bounds before and after.
    support: none
"""

EXAMPLES = r"""
- name: Hold the size of the backend
  dhakacart.runbooks.autoscaler_hold:
    connection: "{{ dhakacart_systems.kubernetes }}"
    autoscaler: dhakacart-backend-hpa

- name: Let it work again
  dhakacart.runbooks.autoscaler_hold:
    connection: "{{ dhakacart_systems.kubernetes }}"
    autoscaler: dhakacart-backend-hpa
    state: released
"""

RETURN = r"""
before:
  description: The bounds before.
  returned: success
  type: dict
  sample: {minReplicas: 3, maxReplicas: 50}
after:
  description: The bounds after.
  returned: success
  type: dict
  sample: {minReplicas: 3, maxReplicas: 3}
undo:
  description: The command that undoes it; empty when nothing was changed.
  returned: success
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.errors import RunbookError
from ..module_utils.kubernetes.hold import set_hold

ARGUMENT_SPEC = {
    "connection": {"type": "dict", "required": True},
    "autoscaler": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
}


def work(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Hold or release."""
    return set_hold(options["connection"], options["autoscaler"], held=options["state"] == "held", dry_run=check_mode)


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**work(module.params, module.check_mode))
    except RunbookError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
