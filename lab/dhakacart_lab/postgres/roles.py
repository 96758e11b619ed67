# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is primary: the record that every part of the lab reads (``postgres/roles.json``)."""

from __future__ import annotations

import json
from typing import Literal, cast

from ..layout import LabError, Layout

Role = Literal["primary", "standby", "fenced", "recovery"]
Roles = dict[str, Role]
ROLES = ("primary", "standby", "fenced", "recovery")


def read_roles(layout: Layout) -> Roles:
    """Node -> role; empty before the first ``up``. ``fenced``: was primary once, must not serve again as it is."""
    path = layout.folder / "postgres" / "roles.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise LabError(f"{path}: not a record of roles ({error}); remedy: runbook lab down, runbook lab up") from None
    if not isinstance(found, dict) or not all(node in layout.nodes and role in ROLES for node, role in found.items()):
        raise LabError(f"{path}: not a record of roles; remedy: runbook lab down, runbook lab up")
    return cast(Roles, found)


def write_roles(layout: Layout, roles: Roles) -> None:
    """Record the roles, whole or not at all."""
    path = layout.folder / "postgres" / "roles.json"
    draft = path.with_name(".roles.json.new")
    draft.write_text(json.dumps(dict(sorted(roles.items()))) + "\n", encoding="utf-8")
    draft.replace(path)


def node_with(roles: Roles, role: Role) -> str | None:
    """The node that has a role, or None."""
    return next((node for node, held in roles.items() if held == role), None)
