#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_check
short_description: Judge an RDS instance, its replica and its backups
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Reads the instance, its read replica, events of the last hour, snapshots, CloudWatch metrics, security groups
    and the credentials in Secrets Manager.
  - Secrets are never returned. With O(salt) they are returned as fingerprints that can be compared within one run.
  - If AWS cannot be read, C(rds.api) is the only finding and it is V(unknown).
extends_documentation_fragment:
  - dhakacart.runbooks.rds
  - dhakacart.runbooks.check
seealso:
  - module: dhakacart.runbooks.platform_facts
  - module: dhakacart.runbooks.postgresql_check
"""

EXAMPLES = r"""
- name: Judge the RDS instance and its backups
  dhakacart.runbooks.rds_check:
    region: "{{ dhakacart_region }}"
    instance: "{{ dhakacart_db_instance }}"
    replica: "{{ dhakacart_db_read_replica }}"
    secret: "{{ dhakacart_secret_db }}"
  register: rds
"""

RETURN = r"""
status:
  description: The worst status of all findings.
  returned: when the options make sense
  type: str
  sample: critical
healthy:
  description: Whether every finding is V(ok).
  returned: when the options make sense
  type: bool
  sample: false
findings:
  description: The judged observations, the worst first.
  returned: when the options make sense
  type: list
  elements: dict
  contains:
    id:
      description: What was judged. The ids and the keys of the evidence are an interface.
      type: str
      sample: rds.storage
    component:
      description: What people call it.
      type: str
      sample: RDS storage
    status:
      description: One of V(ok), V(unknown), V(warning), V(critical).
      type: str
      sample: critical
    summary:
      description: One line, with the figure and its limit.
      type: str
      sample: "3 % of 20 GiB free (limit 20 %, 40 s ago)"
    evidence:
      description: What the summary rests on.
      type: dict
      sample: {free_pct: 3.0, state: available}
    likely_cause:
      description: What this observation alone suggests, or empty.
      type: str
    next_step:
      description: What to do next, or empty.
      type: str
facts:
  description:
    - The parts C(instance), C(replica), C(events), C(snapshots), C(metrics), C(security_groups), C(secret).
    - A part that could not be read is C(error) with C(kind) and C(message).
  returned: when the options make sense
  type: dict
"""

from ..module_utils.check_module import run_check
from ..module_utils.rds import system


def main() -> None:
    """Read, judge, answer."""
    run_check(system)


if __name__ == "__main__":
    main()
