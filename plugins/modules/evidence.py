#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: Keep what was read, before anything is changed
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Writes a reading into the incident's folder on the controller, without secrets, flushed to disk.
  - The first reading of an incident is its opening state, which later sections compare with; it is never overwritten.
    A later one has a file of its own.
options:
  runbook:
    description: Slug of the runbook.
    type: str
    required: true
  environment:
    description: Name of the environment; part of the folder's name.
    type: str
    required: true
  directory:
    description: The folder that holds the incident folders.
    type: path
    required: true
  reading:
    description: What M(dhakacart.runbooks.platform_facts) returned.
    type: dict
    required: true
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Writes nothing and says how much it would keep.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: Keep the evidence
  dhakacart.runbooks.evidence:
    runbook: database-failure
    environment: "{{ dhakacart_env }}"
    directory: "{{ dhakacart_incident_dir }}"
    reading: "{{ now }}"
"""

RETURN = r"""
incident:
  description: The incident folder; empty in check mode.
  returned: success
  type: str
items:
  description: How many findings and systems were kept.
  returned: success
  type: int
"""
