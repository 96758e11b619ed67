#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: triage
short_description: Rank the causes over all runbooks and name the safest next command
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Judges one reading of the platform by the rules of every runbook. A cause is named only when all its conditions are
    true.
  - Ranks what hurts now before a mere risk, and the worse and more specific evidence first.
  - The safest next command keeps the evidence and changes only what can be taken back; a resolution is named as the
    one after it.
options:
  findings:
    description: The findings, as M(dhakacart.runbooks.platform_facts) returns them.
    type: list
    elements: dict
    required: true
  facts:
    description: The facts of the same reading; some say since when something has been wrong.
    type: dict
    default: {}
  asked:
    description:
      - Slugs of the runbooks that an alert or symptom leads to. Between causes with equal evidence, theirs come first.
    type: list
    elements: str
    default: []
  rto_seconds:
    description: The recovery time objective. How much of it is left is said when customers are hurt.
    type: float
    required: true
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Changes nothing, so check mode is no different.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: dhakacart.runbooks.platform_facts
  - module: dhakacart.runbooks.diagnose
"""

EXAMPLES = r"""
- name: Rank the causes and say what to type next
  dhakacart.runbooks.triage:
    findings: "{{ now.findings }}"
    facts: "{{ now.facts }}"
    rto_seconds: "{{ dhakacart_rto_db }}"
"""

RETURN = r"""
likely_cause:
  description: Id of the cause to act on; empty when the evidence confirms none.
  returned: success
  type: str
  sample: primary_down
next:
  description: The safest next command, or what to do.
  returned: success
  type: str
diagnosis:
  description:
    - As M(dhakacart.runbooks.diagnose) returns it; each cause has its C(runbook) and, where a branch resolves it, a
      C(resolution) with C(branch), C(title), C(undo) and the reasons for which the evidence has it C(refused).
    - C(since) says what has been wrong for longest, where a system keeps the time of it; C(rto) how much time is left.
    - C(healthy) is true when everything was read, nothing is critical and no cause is confirmed.
    - C(next), C(why) that is the safest, and C(then); C(asked) lists runbooks that were asked for and have no rules.
  returned: success
  type: dict
"""
