# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all check modules have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  fail_on:
    description:
      - Fail when the worst finding is at least this bad.
      - With V(never) a bad finding is data, and the play decides. Options that make no sense always fail.
    type: str
    choices: [never, warning, critical]
    default: never
attributes:
  check_mode:
    description: Reads only, so check mode is no different.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
"""
