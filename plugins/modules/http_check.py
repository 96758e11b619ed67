#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: http_check
short_description: Judge the shop as a visitor sees it
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Asks the gate, the liveness and health endpoints and one product page at the same time.
  - The gate is O(ready_path). The answer of O(health_path) also depends on Redis and is rate limited, so it is
    never V(critical), and 429 is V(unknown).
extends_documentation_fragment:
  - dhakacart.runbooks.shop_http
  - dhakacart.runbooks.check
seealso:
  - module: dhakacart.runbooks.platform_facts
  - module: dhakacart.runbooks.kubernetes_workload_check
"""

EXAMPLES = r"""
- name: Wait until the shop takes orders again
  dhakacart.runbooks.http_check:
    url: "{{ dhakacart_shop_url }}"
    health_path: ""
  register: shop
  until: (shop.findings | selectattr('id', 'equalto', 'http.ready') | first).status == 'ok'
  retries: 30
  delay: 2
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
      sample: http.ready
    component:
      description: What people call it.
      type: str
      sample: shop
    status:
      description: One of V(ok), V(unknown), V(warning), V(critical).
      type: str
      sample: critical
    summary:
      description: One line, with the figure and its limit.
      type: str
      sample: "/ready: 503 in 5.0 s: timeout expired"
    evidence:
      description: What the summary rests on.
      type: dict
      sample: {http_status: 503, state: not_ready}
    likely_cause:
      description: What this observation alone suggests, or empty.
      type: str
    next_step:
      description: What to do next, or empty.
      type: str
facts:
  description:
    - The answers to each path, trimmed.
    - One that failed has C(error) with C(kind) and C(message).
  returned: when the options make sense
  type: dict
"""

from ..module_utils.check_module import run_check
from ..module_utils.http import system


def main() -> None:
    """Read, judge, answer."""
    run_check(system)


if __name__ == "__main__":
    main()
