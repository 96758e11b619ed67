#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: next_step
short_description: Close a section and say what to type next
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Prints the elapsed time against the section's budget and the next command.
  - Writes the section into the record of the run, where there is one; see M(dhakacart.runbooks.preflight).
  - Hands the findings to ansible-runner and event-driven Ansible as statistics of the run.
options:
  runbook:
    description: Slug of the runbook.
    type: str
    required: true
  section:
    description: The section that ends here.
    type: str
    required: true
    choices: [symptoms, immediate, investigation, resolution, verification, prevention, escalation]
  started:
    description: When the section began, in epoch seconds.
    type: float
    required: true
  findings:
    description: The findings of the section.
    type: list
    elements: dict
    default: []
  diagnosis:
    description: What M(dhakacart.runbooks.diagnose) returned as RV(dhakacart.runbooks.diagnose#module:diagnosis).
    type: dict
    default: {}
  recovered:
    description: The verdict of a verification. When it is V(false) the task fails, after all has been said.
    type: bool
  controls:
    description:
      - What M(dhakacart.runbooks.controls) returned as RV(dhakacart.runbooks.controls#module:controls), for the record.
    type: list
    elements: dict
    default: []
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Records nothing; everything else is no different.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: Go on as it tells you
  dhakacart.runbooks.next_step:
    runbook: database-failure
    section: investigation
    started: "{{ now.started }}"
    findings: "{{ now.findings }}"
    diagnosis: "{{ judged.diagnosis }}"
"""

RETURN = r"""
next:
  description: The next command, or what to do.
  returned: always
  type: str
elapsed:
  description: Seconds the section took.
  returned: always
  type: float
over_budget:
  description: Whether that was more than its budget.
  returned: always
  type: bool
"""
