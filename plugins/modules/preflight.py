#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Check what was asked for and what the inventory says
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Fails with one line when a section or branch is unknown, a variable is missing or of the wrong type, or a file of
    credentials does not make sense.
  - Ansible by itself runs nothing and reports success when a tag is mistyped.
  - It reads no system and changes nothing.
options:
  runbook:
    description: Slug of the runbook.
    type: str
    required: true
  branch:
    description: The resolution branch that was asked for, if any.
    type: str
    default: ""
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
"""

EXAMPLES = r"""
- name: Check before anything else
  dhakacart.runbooks.preflight:
    runbook: database-failure
    branch: "{{ branch | default('') }}"
"""

RETURN = r"""
sections:
  description: The sections that were asked for by tag; empty in a bare run.
  returned: success
  type: list
  elements: str
started:
  description: When the run began, in epoch seconds.
  returned: success
  type: float
"""
