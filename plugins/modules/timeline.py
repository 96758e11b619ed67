#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: timeline
short_description: Write a line into the incident's timeline
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Appends what is about to be done, and how it is undone, to the record of the run or the open incident, with who
    does it; the line is on disk before the task ends. Secrets are taken out; what is empty is left out.
  - Where no incident is open and a reading is given, one is opened with it. Otherwise nothing is written.
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
  event:
    description: What happens, a word or two.
    type: str
    required: true
  details:
    description: What else is to be kept; no secrets.
    type: dict
    default: {}
  reading:
    description: What M(dhakacart.runbooks.platform_facts) returned, to open an incident with.
    type: dict
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Writes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: Write down what is about to be done
  dhakacart.runbooks.timeline:
    runbook: database-failure
    environment: "{{ dhakacart_env }}"
    directory: "{{ dhakacart_incident_dir }}"
    event: approved
    details:
      action: Fail over to the standby
      undo: a later failover back
"""

RETURN = r"""
incident:
  description: The incident folder; empty in check mode or when none is open.
  returned: success
  type: str
"""
