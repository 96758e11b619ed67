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
  - It reads no system and changes nothing of the platform.
  - It opens the record of the incident, or joins the one that is open, and hands it on to later plays as the fact
    C(dhakacart_record). C(immediate) and C(escalation) always have a record; with the variable C(dhakacart_run_id),
    which C(runbook run) sets, every run has one; other runs only where an incident is open. C(dhakacart_incident) names
    the folder of one.
  - An incident is open for a day after something happened in it, unless a verification closed it.
  - Where the record cannot be written, C(immediate) and C(resolution) are not begun; other sections go on without.
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
    description: Opens no record; everything else is no different.
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
environment:
  description: C(dhakacart_env).
  returned: success
  type: str
name:
  description: Prefix and region, as people know the environment.
  returned: success
  type: str
record:
  description: The folder that the run is recorded in; empty where it is not.
  returned: success
  type: str
budgets:
  description: For each section how many seconds it may take.
  returned: success
  type: dict
escalation:
  description: The command that tells the people, for whoever has to say it when a section cannot.
  returned: success
  type: str
reason:
  description: V(usage) when what was typed makes no sense, V(environment) when the inventory or this machine is wrong.
  returned: failure
  type: str
  choices: [usage, environment]
"""
