#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_check
short_description: Judge the Redis cache
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Greets Redis and judges memory, evictions, connections, role and hit rate.
  - A hit rate of too few look-ups is V(unknown).
extends_documentation_fragment:
  - dhakacart.runbooks.redis
  - dhakacart.runbooks.check
seealso:
  - module: dhakacart.runbooks.platform_facts
  - module: dhakacart.runbooks.http_check
"""

EXAMPLES = r"""
- name: Judge the cache
  dhakacart.runbooks.redis_check:
    host: "{{ dhakacart_redis_host }}"
    tls: "{{ dhakacart_redis_tls }}"
    token_file: "{{ dhakacart_redis_token_file }}"
  register: cache
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
      sample: redis.reachable
    component:
      description: What people call it.
      type: str
      sample: cache
    status:
      description: One of V(ok), V(unknown), V(warning), V(critical).
      type: str
      sample: critical
    summary:
      description: One line, with the figure and its limit.
      type: str
      sample: "nothing listens there (connection refused)"
    evidence:
      description: What the summary rests on.
      type: dict
      sample: {kind: refused}
    likely_cause:
      description: What this observation alone suggests, or empty.
      type: str
    next_step:
      description: What to do next, or empty.
      type: str
facts:
  description:
    - The fields of INFO that are judged, or C(error) with C(kind) and C(message).
  returned: when the options make sense
  type: dict
"""

from ..module_utils.check_module import run_check
from ..module_utils.redis import system


def main() -> None:
    """Read, judge, answer."""
    run_check(system)


if __name__ == "__main__":
    main()
