#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose
short_description: Name the likely cause of findings, and choose a resolution branch
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Evaluates the rules of a runbook over findings. A cause is named only when all its conditions are true; what could
    not be read confirms nothing and rules nothing out.
  - Shows the findings and the cause in the terminal.
options:
  runbook:
    description: Slug of the runbook whose rules apply.
    type: str
    required: true
  findings:
    description: The findings, as M(dhakacart.runbooks.platform_facts) returns them.
    type: list
    elements: dict
    required: true
  choose_branch:
    description: Also choose the resolution branch, and fail when the evidence allows none.
    type: bool
    default: false
  branch:
    description: The branch to judge instead of the one that the likely cause recommends.
    type: str
    default: ""
  show:
    description: What is printed.
    type: str
    choices: [everything, findings, cause, nothing]
    default: everything
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
"""

EXAMPLES = r"""
- name: Name the likely cause
  dhakacart.runbooks.diagnose:
    runbook: database-failure
    findings: "{{ now.findings }}"
  register: judged

- name: Choose the branch that the evidence allows
  dhakacart.runbooks.diagnose:
    runbook: database-failure
    findings: "{{ now.findings }}"
    choose_branch: true
"""

RETURN = r"""
likely_cause:
  description: Id of the cause to act on; empty when the evidence confirms none.
  returned: always
  type: str
  sample: primary_down
diagnosis:
  description: The likely cause with what it rests on, other confirmed causes, and those that could not be judged.
  returned: always
  type: dict
branch:
  description: The resolution branch.
  returned: when a branch was chosen or refused
  type: str
  sample: failover
branch_title:
  description: What the branch does.
  returned: when a branch was chosen
  type: str
undo:
  description: How the branch is undone, or that it cannot be.
  returned: when a branch was chosen
  type: str
"""
