#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: controls
short_description: Audit the controls that prevent a database failure
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Says of each control whether it is there, missing or not readable, with the change that closes the gap.
  - A gap is no failure, and nothing is changed.
options:
  findings:
    description: The findings, as M(dhakacart.runbooks.platform_facts) returns them.
    type: list
    elements: dict
    required: true
  limits:
    description:
      - What the controls are measured against and the names that the changes mention.
      - Keys are C(instance), C(prefix), C(namespace), C(app_user), C(retention_days) and C(pool_max).
    type: dict
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
"""

EXAMPLES = r"""
- name: See which controls are missing
  dhakacart.runbooks.controls:
    findings: "{{ now.findings }}"
    limits: "{{ dhakacart_database_limits }}"
"""

RETURN = r"""
controls:
  description: Every control, gaps first.
  returned: always
  type: list
  elements: dict
  sample:
    - {title: Protection against deletion, present: false, change: "aws rds modify-db-instance …"}
gaps:
  description: Titles of the missing ones.
  returned: always
  type: list
  elements: str
"""
