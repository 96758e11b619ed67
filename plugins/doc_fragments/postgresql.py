# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the check of postgresql, shared by the modules that read it."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  host:
    description: Host name or address of the primary endpoint, which the shop uses.
    type: str
    required: true
  port:
    description: Port of the primary endpoint.
    type: int
    default: 5432
  replica_host:
    description:
      - Host name or address of the replica endpoint.
      - Without it the findings on the standby are V(unknown).
    type: str
  replica_port:
    description: Port of the replica endpoint.
    type: int
    default: 5432
  dbname:
    description: Database to connect to.
    type: str
    default: dhakacart
  user:
    description:
      - Role to log in with.
      - It needs no more than C(pg_monitor).
    type: str
    default: dhakacart_admin
  app_user:
    description:
      - Role that the shop logs in with.
      - Its settings are audited.
    type: str
    default: dhakacart
  passfile:
    description:
      - Password file of libpq, readable by its owner only.
      - Passwords are read from nowhere else.
      - Without it libpq's own default is used.
    type: path
  sslmode:
    description: TLS mode, as in libpq.
    type: str
    default: prefer
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
  timeout:
    description: Seconds for reaching one server, and as many again for reading from it.
    type: float
    default: 3.0
  sessions:
    description:
      - Also return every client session, at most 1000, from which the ones to end are chosen.
    type: bool
    default: false
  thresholds:
    description:
      - Where observations become bad.
      - A value at its threshold counts as beyond it.
    type: dict
    suboptions:
      connections_warning_pct:
        description: Percent of the connections that are not reserved.
        type: float
        default: 80.0
      connections_critical_pct:
        description: Percent of the connections that are not reserved.
        type: float
        default: 95.0
      lag_warning_seconds:
        description:
          - Seconds the standby is behind.
          - Beyond it a failover breaks the RPO.
        type: float
        default: 60.0
      lag_critical_seconds:
        description: Seconds the standby is behind.
        type: float
        default: 300.0
      receiver_silence_seconds:
        description:
          - Seconds without a message from the primary after which the standby counts as cut off from it.
          - Asked only when the primary does not answer.
        type: float
        default: 5.0
      blocked_warning_seconds:
        description: Longest time a session waits for a lock.
        type: float
        default: 5.0
      blocked_critical_seconds:
        description: Longest time a session waits for a lock.
        type: float
        default: 60.0
      blocked_critical_sessions:
        description: Number of sessions that wait for locks.
        type: int
        default: 10
      long_query_warning_seconds:
        description: Run time of a query.
        type: float
        default: 5.0
      long_query_critical_seconds:
        description: Run time of a query.
        type: float
        default: 60.0
      idle_in_transaction_warning_seconds:
        description: Time a session is idle with an open transaction.
        type: float
        default: 60.0
      idle_in_transaction_critical_seconds:
        description: Time a session is idle with an open transaction.
        type: float
        default: 300.0
      slow_query_log_seconds:
        description: Slower queries should be logged.
        type: float
        default: 1.0
      slot_retained_warning_gb:
        description: GiB of WAL that an inactive slot holds.
        type: float
        default: 2.0
      slot_retained_critical_gb:
        description: GiB of WAL that an inactive slot holds.
        type: float
        default: 10.0
      asynchronous_accepted:
        description:
          - Whether an asynchronous standby is V(ok).
          - A failover to it may lose acknowledged orders.
        type: bool
        default: false
      archiving_expected:
        description: Whether WAL archiving that is off is a V(warning).
        type: bool
        default: true
requirements:
  - psycopg (Python library) version 3.1 or later
"""
