# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the check of redis, shared by the modules that read it."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  host:
    description: Host name or address of Redis.
    type: str
    required: true
  port:
    description: Port of Redis.
    type: int
    default: 6379
  tls:
    description: Whether to use TLS.
    type: bool
    default: false
  token_file:
    description:
      - File with the token or password.
      - It is read from nowhere else.
    type: path
  user:
    description: User of an access control list, if there is one.
    type: str
  timeout:
    description: Seconds for reaching Redis, and for each answer.
    type: float
    default: 3.0
  thresholds:
    description:
      - Where observations become bad.
      - A value at its threshold counts as beyond it.
    type: dict
    suboptions:
      memory_warning_pct:
        description: Percent of C(maxmemory), or of the machine's memory where there is no limit.
        type: float
        default: 80.0
      memory_critical_pct:
        description: Percent of C(maxmemory), or of the machine's memory where there is no limit.
        type: float
        default: 95.0
      clients_warning_pct:
        description: Percent of C(maxclients).
        type: float
        default: 80.0
      evictions_warning:
        description: Keys evicted since Redis started.
        type: int
        default: 1
      hit_rate_warning_pct:
        description: Percent of look-ups that hit.
        type: float
        default: 80.0
      hit_rate_samples:
        description: With fewer look-ups the hit rate is V(unknown).
        type: int
        default: 100
requirements:
  - redis (Python library) version 5.2 or later
"""
