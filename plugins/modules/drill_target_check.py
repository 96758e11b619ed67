#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drill_target_check
short_description: Ask the live systems whether they may be broken on purpose
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - A drill breaks things. Before it does, every system that it could reach must itself say that it is of the
    environment that the inventory names, and that it may be drilled; an inventory alone can hold a wrong address.
  - Kubernetes says it by labels (or annotations) of the namespace, V(dhakacart.com/environment) and
    V(dhakacart.com/drillable); the database by settings of the database itself, V(dhakacart.environment) and
    V(dhakacart.drillable), on the primary and on the read replica; RDS by the tags V(Environment) and V(Drillable).
  - A system that says nothing, or cannot be read, is V(unknown); one that says something else is V(critical).
    Production is V(critical) whatever else is said.
  - Reads only.
options:
  systems:
    description:
      - The options of M(dhakacart.runbooks.kubernetes_workload_check), M(dhakacart.runbooks.postgresql_check) and
        M(dhakacart.runbooks.rds_check) under V(kubernetes), V(postgresql) and V(rds).
      - The inventories define it as C(dhakacart_systems).
    type: dict
    required: true
  environment:
    description: What the inventory calls the environment, C(dhakacart_env).
    type: str
    required: true
  drillable:
    description: Whether the inventory allows drills, C(dhakacart_drillable).
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads only, so check mode is no different.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: dhakacart.runbooks.platform_facts
"""

EXAMPLES = r"""
- name: Ask every system what it is
  dhakacart.runbooks.drill_target_check:
    systems: "{{ dhakacart_systems }}"
    environment: "{{ dhakacart_env }}"
    drillable: "{{ dhakacart_drillable }}"
  register: drill_target
"""

RETURN = r"""
findings:
  description: C(identity.inventory), C(identity.kubernetes), C(identity.database), C(identity.rds); the worst first.
  returned: success
  type: list
  elements: dict
  sample:
    - id: identity.kubernetes
      component: kubernetes
      status: critical
      summary: "namespace dhakacart says it is production: production is never broken on purpose"
      evidence: {kubernetes: {environment: production, drillable: "", lab_id: ""}}
      likely_cause: ""
      next_step: ""
status:
  description: The worst status.
  returned: success
  type: str
  sample: ok
healthy:
  description: Whether every finding is V(ok), so that a drill may begin.
  returned: success
  type: bool
target:
  description: The same in short; also a custom stat, C(dhakacart_drill_target).
  returned: success
  type: dict
  sample:
    environment: lab
    drillable: {kubernetes: true, database: true, rds: true}
    lab_id: default-3f2a91c4
    agreed: true
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.errors import RunbookError
from ..module_utils.core.finding import Status, worst
from ..module_utils.identity import checks, facts

ARGUMENT_SPEC = {
    "systems": {"type": "dict", "required": True},
    "environment": {"type": "str", "required": True},
    "drillable": {"type": "bool", "default": False},
}


def work(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:  # noqa: ARG001 - reading changes nothing
    """Ask and judge; that somebody must not be drilled is an answer, not a failure."""
    environment, systems = options["environment"], options["systems"]
    said = facts.read(systems)
    names = {
        "namespace": str(systems["kubernetes"].get("namespace") or "dhakacart"),
        "database": str(systems["postgresql"].get("dbname") or "dhakacart"),
    }
    findings = sorted(checks.judge(said, environment, options["drillable"], names), key=lambda found: -found.status)
    target = checks.summary(said, findings, environment)
    return {
        "findings": [finding.to_result() for finding in findings],
        "status": str(worst(findings)),
        "healthy": worst(findings) is Status.OK,
        "target": target,
        "ansible_stats": {"data": {"dhakacart_drill_target": target}, "per_host": False, "aggregate": True},
    }


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **work(module.params, module.check_mode))
    except RunbookError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
