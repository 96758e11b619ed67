# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: lab
author: DhakaCart platform team (@dhakacart)
short_description: Endpoints of the running lab
version_added: 1.0.0
description:
  - Reads the file that C(runbook lab up) writes, with the endpoints and credential files of the local DhakaCart.
  - The inventory C(inventories/lab) is made of it.
options:
  _terms:
    description: Not used.
    type: list
    elements: str
  name:
    description: Which lab. Without it E(DHAKACART_LAB), then V(default).
    type: str
"""

EXAMPLES = r"""
- name: Show where the shop of the lab is
  ansible.builtin.debug:
    msg: "{{ lookup('dhakacart.runbooks.lab').shop.url }}"
"""

RETURN = r"""
_raw:
  description: The lab file, one dictionary.
  type: list
  elements: dict
"""

import json
import os
from pathlib import Path

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase


def lab_file(name: str) -> Path:
    """Where the lab called ``name`` describes itself; the same rule as the lab's own layout."""
    if home := os.environ.get("DHAKACART_LAB_HOME"):
        return Path(home) / name / "lab.json"
    if os.geteuid() == 0:
        return Path("/var/lib/dhakacart-lab") / name / "lab.json"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "dhakacart-lab" / name / "lab.json"


class LookupModule(LookupBase):
    """Reads the lab file."""

    def run(self, terms, variables=None, **kwargs):  # noqa: ARG002 - the interface of a lookup
        """One dictionary, the content of the lab file."""
        self.set_options(var_options=variables, direct=kwargs)
        name = self.get_option("name") or os.environ.get("DHAKACART_LAB") or "default"
        path = lab_file(name)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AnsibleLookupError(f"lab {name!r} is not up ({path} is missing); remedy: runbook lab up") from None
        except (OSError, ValueError) as error:
            remedy = "remedy: runbook lab down, then runbook lab up"
            raise AnsibleLookupError(f"{path}: not a lab file ({error}); {remedy}") from None
        if not isinstance(content, dict):
            raise AnsibleLookupError(
                f"{path}: not a lab file (no object); remedy: runbook lab down, then runbook lab up"
            )
        return [content]
