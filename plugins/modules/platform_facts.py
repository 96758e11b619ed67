#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_facts
short_description: Read and judge every system of an environment in one task
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Reads the shop over HTTP, Kubernetes, PostgreSQL, RDS and Redis concurrently, each under its own deadline, and
    judges what it read.
  - What cannot be read is a finding with status V(unknown), never an error and never V(ok).
  - On a local connection it runs in the controller's own process, which saves the start of a module.
options:
  systems:
    description:
      - For each system the options of its check module, such as M(dhakacart.runbooks.postgresql_check).
      - The inventories define it as C(dhakacart_systems).
    type: dict
    required: true
  gather_subset:
    description:
      - Which systems to read, as in M(ansible.builtin.setup). V(all), or names, or names with an exclamation mark.
      - Systems are V(http), V(kubernetes), V(postgresql), V(rds) and V(redis).
    type: list
    elements: str
    default: [all]
  within:
    description:
      - Seconds for the whole reading. A system that has not answered by then is V(unknown).
      - Without it each system has its own time, a little over two of its timeouts.
    type: float
  fail_on:
    description: Fail when the worst finding is this bad.
    type: str
    choices: [never, warning, critical]
    default: never
attributes:
  check_mode:
    description: Reads only, so check mode is no different.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: dhakacart.runbooks.diagnose
"""

EXAMPLES = r"""
- name: Read every system
  dhakacart.runbooks.platform_facts:
    systems: "{{ dhakacart_systems }}"
  register: now

- name: Read the database only, from both sides
  dhakacart.runbooks.platform_facts:
    systems: "{{ dhakacart_systems }}"
    gather_subset: [postgresql, rds]
"""

RETURN = r"""
status:
  description: The worst status of all findings.
  returned: always
  type: str
  sample: critical
healthy:
  description: Whether every finding is V(ok).
  returned: always
  type: bool
findings:
  description: The judged observations, the worst first.
  returned: always
  type: list
  elements: dict
  sample:
    - id: postgresql.primary
      component: primary
      status: critical
      summary: "127.40.0.10:5432 refuses connections"
      evidence: {kind: refused}
      likely_cause: ""
      next_step: ""
facts:
  description: What was read, by system.
  returned: always
  type: dict
started:
  description: When the reading began, in epoch seconds.
  returned: always
  type: float
seconds:
  description: How long each system took.
  returned: always
  type: dict
  sample: {postgresql: 0.09, rds: 0.8}
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.errors import RunbookError
from ..module_utils.core.finding import Status
from ..module_utils.platform_reading import read_platform

ARGUMENT_SPEC = {
    "systems": {"type": "dict", "required": True},
    "gather_subset": {"type": "list", "elements": "str", "default": ["all"]},
    "within": {"type": "float"},
    "fail_on": {"type": "str", "choices": ["never", "warning", "critical"], "default": "never"},
}


def work(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:  # noqa: ARG001 - reading changes nothing
    """Read and judge; a result with ``failed`` where the options say that this is bad enough."""
    started = time.time()
    result = {"started": started, **read_platform(options["systems"], options["gather_subset"], options["within"])}
    limit = options["fail_on"]
    if limit != "never" and Status.parse(result["status"]) >= Status.parse(limit):
        result.update(failed=True, msg=f"the platform is {result['status']}")
    return result


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **work(module.params, module.check_mode))
    except RunbookError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
