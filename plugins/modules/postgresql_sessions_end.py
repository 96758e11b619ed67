#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_sessions_end
short_description: End the sessions that exhaust, block or run away
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Chooses the sessions from what is seen now, and ends each only if it is still the same session in the same state.
  - Replication, superusers and its own session are never ended.
  - An ended transaction is rolled back and its client must try again; this cannot be undone.
options:
  connection:
    description: The options of M(dhakacart.runbooks.postgresql_check).
    type: dict
    required: true
  mode:
    description:
      - V(exhaust) ends the idle sessions of the group that has most.
      - V(block) ends the sessions that others wait for.
      - V(runaway) ends queries over the critical limit that wait for nobody.
    type: str
    choices: [exhaust, block, runaway]
    required: true
requirements:
  - psycopg
attributes:
  check_mode:
    description: Says which sessions would be ended.
    support: full
  diff_mode:
    description: The result lists the sessions.
    support: none
"""

EXAMPLES = r"""
- name: End the sessions that others wait for
  dhakacart.runbooks.postgresql_sessions_end:
    connection: "{{ dhakacart_systems.postgresql }}"
    mode: block
"""

RETURN = r"""
sessions:
  description: The sessions, each with the reason and the outcome.
  returned: success
  type: list
  elements: dict
  sample:
    - {pid: 4711, user: dhakacart, application: reporting-job, reason: "has run for 312 s", outcome: ended}
ended:
  description: How many were ended, or would be in check mode.
  returned: success
  type: int
undo:
  description: That it cannot be undone.
  returned: success
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core.errors import RunbookError
from ..module_utils.judging import NotJudged
from ..module_utils.options import build
from ..module_utils.postgresql import actions, facts
from ..module_utils.postgresql.arguments import Settings, Thresholds

ARGUMENT_SPEC = {
    "connection": {"type": "dict", "required": True},
    "mode": {"type": "str", "choices": list(actions.MODES), "required": True},
}
UNDO = "cannot be undone: the transaction is rolled back, its client must try again"


def work(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Choose, then end what is still the same."""
    connection = options["connection"]
    settings = build(Settings, {**connection, "sessions": True}, "postgresql")
    thresholds = build(Thresholds, connection.get("thresholds"), "postgresql.thresholds")
    try:
        victims = actions.sessions_to_end(
            facts.read(settings), options["mode"], app_user=settings.app_user, thresholds=thresholds
        )
    except NotJudged as reason:
        return {
            "failed": True,
            "changed": False,
            "msg": f"no session is ended, because what is there is unknown: {reason}",
        }
    if check_mode:
        planned = [{**victim, "outcome": "would be ended"} for victim in victims]
        return {"changed": bool(planned), "sessions": planned, "ended": len(planned), "undo": UNDO}
    sessions = actions.end_sessions(settings, victims)
    ended = sum(session["outcome"] == "ended" for session in sessions)
    return {"changed": ended > 0, "sessions": sessions, "ended": ended, "undo": UNDO}


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**work(module.params, module.check_mode))
    except RunbookError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
