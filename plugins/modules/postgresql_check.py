#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_check
short_description: Judge a PostgreSQL primary and its standby
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Reads the primary and the replica endpoint at the same time and independently, each over one read-only session.
  - Tells apart a server that refuses, one that does not answer, a network that is cut, a refused login, exhausted
    connections and a server that is starting.
  - Judges roles, replication, lag, connections, locks, long queries, idle transactions, WAL archiving and settings.
  - What could not be read is V(unknown), never V(ok).
extends_documentation_fragment:
  - dhakacart.runbooks.postgresql
  - dhakacart.runbooks.check
seealso:
  - module: dhakacart.runbooks.platform_facts
  - module: dhakacart.runbooks.rds_check
"""

EXAMPLES = r"""
- name: See which side of the database is alive
  dhakacart.runbooks.postgresql_check:
    host: "{{ dhakacart_db_host }}"
    replica_host: "{{ dhakacart_db_replica_host }}"
    passfile: "{{ dhakacart_db_passfile }}"
  register: database

- name: Stop unless a failover would be within the RPO
  dhakacart.runbooks.postgresql_check:
    host: "{{ dhakacart_db_host }}"
    replica_host: "{{ dhakacart_db_replica_host }}"
    passfile: "{{ dhakacart_db_passfile }}"
    thresholds:
      lag_warning_seconds: 30
    fail_on: critical
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
      sample: postgresql.primary
    component:
      description: What people call it.
      type: str
      sample: primary
    status:
      description: One of V(ok), V(unknown), V(warning), V(critical).
      type: str
      sample: critical
    summary:
      description: One line, with the figure and its limit.
      type: str
      sample: "no server listens on db-primary:5432 (connection refused)"
    evidence:
      description: What the summary rests on.
      type: dict
      sample: {kind: refused, reachable: false}
    likely_cause:
      description: What this observation alone suggests, or empty.
      type: str
    next_step:
      description: What to do next, or empty.
      type: str
facts:
  description:
    - The two servers, C(primary) and C(replica), each with its parts.
    - A part that could not be read is C(error) with C(kind) and C(message).
  returned: when the options make sense
  type: dict
"""

from ..module_utils.check_module import run_check
from ..module_utils.postgresql import system


def main() -> None:
    """Read, judge, answer."""
    run_check(system)


if __name__ == "__main__":
    main()
