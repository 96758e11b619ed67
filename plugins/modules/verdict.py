#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verdict
short_description: Say whether an incident is over
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Shows what changed since the opening state of the incident and says whether the platform has recovered.
  - Recovered means that every finding that must be ok is, that no cause of an outage is confirmed, and that what the
    incident was opened for is gone. Unknown is not recovered.
  - It writes the verdict into the incident's timeline; V(true) closes the incident.
  - It does not fail by itself, so that the play can close the section before it ends with the answer.
options:
  runbook:
    description: Slug of the runbook.
    type: str
    required: true
  environment:
    description: Name of the environment.
    type: str
    required: true
  directory:
    description: The folder that holds the incident folders.
    type: path
    required: true
  findings:
    description: The findings of now.
    type: list
    elements: dict
    required: true
  diagnosis:
    description: What M(dhakacart.runbooks.diagnose) made of them.
    type: dict
    required: true
  must_be_ok:
    description: Ids of findings that must be V(ok).
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Adds nothing to the incident's timeline.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: Compare with the opening state
  dhakacart.runbooks.verdict:
    runbook: database-failure
    environment: "{{ dhakacart_env }}"
    directory: "{{ dhakacart_incident_dir }}"
    findings: "{{ now.findings }}"
    diagnosis: "{{ judged.diagnosis }}"
    must_be_ok: [http.ready, postgresql.primary, postgresql.role]
  register: verdict
"""

RETURN = r"""
recovered:
  description: Whether the platform has recovered.
  returned: always
  type: bool
reasons:
  description: Why it has not, a line each.
  returned: always
  type: list
  elements: str
risks:
  description: What is critical and does not keep customers from being served, a line each.
  returned: always
  type: list
  elements: str
incident:
  description: The incident folder it compared with; empty when there is none.
  returned: always
  type: str
"""
