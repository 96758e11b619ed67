#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: shop_database
short_description: Give the shop the database endpoint and credentials that are valid
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Takes user and password from Secrets Manager and the endpoint that takes writes now, logs in with them as the shop
    would, and writes them to Secrets Manager first and then to the Kubernetes Secret.
  - The password never becomes an Ansible variable. The old values are kept in a second Secret, C(<name>-previous).
  - The pods read a Secret when they start; restart them afterwards.
options:
  kubernetes:
    description: The options of M(dhakacart.runbooks.kubernetes_workload_check).
    type: dict
    required: true
  rds:
    description: The options of M(dhakacart.runbooks.rds_check).
    type: dict
    required: true
  postgresql:
    description: The options of M(dhakacart.runbooks.postgresql_check).
    type: dict
    required: true
  secrets_manager_first:
    description: The External Secrets Operator writes the Kubernetes Secret; ask it to read Secrets Manager now.
    type: bool
    default: false
  host:
    description: The endpoint, with or without a port. Without it the one whose server takes writes.
    type: str
    default: ""
requirements:
  - boto3
  - kubernetes
  - psycopg
attributes:
  check_mode:
    description: Says which keys would change.
    support: full
  diff_mode:
    description: Values are secrets, so none are shown.
    support: none
"""

EXAMPLES = r"""
- name: Point the shop at the server that takes writes
  dhakacart.runbooks.shop_database:
    kubernetes: "{{ dhakacart_systems.kubernetes }}"
    rds: "{{ dhakacart_systems.rds }}"
    postgresql: "{{ dhakacart_systems.postgresql }}"
"""

RETURN = r"""
host:
  description: The endpoint the shop has now.
  returned: success
  type: str
keys:
  description: The keys that differed, by place.
  returned: success
  type: dict
  sample: {secrets_manager: [host], kubernetes: [db-host]}
undo:
  description: How to undo it.
  returned: success
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.errors import RunbookError
from ..module_utils.shop_database import repoint

ARGUMENT_SPEC = {
    "kubernetes": {"type": "dict", "required": True},
    "rds": {"type": "dict", "required": True},
    "postgresql": {"type": "dict", "required": True},
    "secrets_manager_first": {"type": "bool", "default": False, "no_log": False},
    "host": {"type": "str", "default": ""},
}


def work(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Write what is valid."""
    return repoint(options, dry_run=check_mode)


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**work(module.params, module.check_mode))
    except RunbookError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
