# SPDX-License-Identifier: GPL-3.0-or-later
"""How a request is said to Ansible: arguments, extra variables, settings. Reads nothing but the request and paths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .guard import MARKER

if TYPE_CHECKING:
    from ..catalogue import Catalogue
    from ..collection import Collection
    from ..request import RunRequest

CALLBACK = "dhakacart.runbooks.oncall"
# A host or an inventory with a typing error must not be a green run that did nothing, whatever ansible.cfg says.
SAFETY = {
    "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
    "ANSIBLE_INJECT_FACT_VARS": "False",
    "ANSIBLE_GATHERING": "explicit",
}
# Events carry plain text; who shows it colours it.
PLAIN_TEXT = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "NO_COLOR": "1"}
# Of a person who has none; Ansible does not take /dev/null for one.
EMPTY_CONFIGURATION = "ansible.cfg"
OWN_COLLECTIONS = ("~/.ansible/collections", "/usr/share/ansible/collections")
OWN_CONFIGURATIONS = ("~/.ansible.cfg", "/etc/ansible/ansible.cfg")


def extra_variables(request: RunRequest, run_id: str) -> dict[str, Any]:
    """What goes into the file of extra variables."""
    found: dict[str, Any] = {**request.variables, "dhakacart_run_id": run_id}
    if request.incident is not None:
        found["dhakacart_incident"] = request.incident
    if request.approve is not None:
        found |= {"approve": True, "dhakacart_approval_reason": request.approve}
    if request.branch is not None:
        found["branch"] = request.branch
    if request.target is not None:
        found["dhakacart_target"] = request.target
    return found


def arguments(request: RunRequest, catalogue: Catalogue, variables: Path) -> list[str]:
    """What follows ``ansible-playbook``; nothing of it is secret."""
    inventories = [catalogue.inventory(name) for name in (request.inventory, *request.overlays)]
    return [
        _playbook(request, catalogue),
        *(word for inventory in inventories for word in ("-i", str(inventory))),
        *(["--tags", ",".join(request.sections)] if request.sections else []),
        *(["--check"] if request.check else []),
        *("-e", f"@{variables}"),
    ]


def _playbook(request: RunRequest, catalogue: Catalogue) -> str:
    """A path in a checkout, a full name where the collection is installed: the next command is said in the same way."""
    if catalogue.collection.checkout:
        return str(catalogue.get(request.runbook).playbook)
    return f"dhakacart.runbooks.{request.runbook.replace('-', '_')}"


def settings(collection: Collection, run_id: str, folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Environment variables that make a run the same from every folder, and tell its processes from all others.

    :param folder: the private folder, with an empty file ``EMPTY_CONFIGURATION`` in it.
    """
    found = {**SAFETY, **PLAIN_TEXT, MARKER: run_id, "ANSIBLE_STDOUT_CALLBACK": CALLBACK}
    found["ANSIBLE_CONFIG"] = _configuration(collection, environ, folder)
    own = environ.get("ANSIBLE_COLLECTIONS_PATH") or os.pathsep.join(OWN_COLLECTIONS)
    found["ANSIBLE_COLLECTIONS_PATH"] = f"{collection.search_path}{os.pathsep}{own}"
    found["ANSIBLE_LOCAL_TEMP"] = str(folder / "tmp")
    # Without it the arguments of a module that is killed stay in a file under ~/.ansible/tmp.
    found["ANSIBLE_PIPELINING"] = environ.get("ANSIBLE_PIPELINING", "True")
    return found


def _configuration(collection: Collection, environ: Mapping[str, str], folder: Path) -> str:
    """As Ansible looks for it, but never by accident in the current folder."""
    if chosen := environ.get("ANSIBLE_CONFIG"):
        return chosen
    if collection.checkout:
        return str(collection.root / "ansible.cfg")
    files = (Path(name).expanduser() for name in OWN_CONFIGURATIONS)
    return str(next((path for path in files if path.is_file()), folder / EMPTY_CONFIGURATION))
