# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory says, as Ansible reads it. Its values are looked at and never shown: some name secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..catalogue import Catalogue
from ..request import RunRequest
from .check import Check, State, failed

PART = "inventory"
DEADLINE = 60.0
GROUP = "primary"


@dataclass(frozen=True)
class Read:
    """An inventory that was read.

    :param hosts: what a run would address.
    :param variables: of the first of them, as written: nothing in it is templated.
    """

    check: Check
    hosts: tuple[str, ...] = ()
    variables: Mapping[str, Any] | None = None


def read(catalogue: Catalogue, request: RunRequest) -> Read:
    """Parse the inventory and find the hosts that a run would address."""
    paths = [catalogue.inventory(name) for name in (request.inventory, *request.overlays)]
    try:
        done = subprocess.run(_command(paths), check=False, timeout=DEADLINE, **_surroundings(catalogue))
    except subprocess.TimeoutExpired:
        return Read(Check(PART, "inventory", State.UNKNOWN, f"not read within {DEADLINE:.0f} s", "look for a plugin"))
    except OSError as error:
        return Read(Check(PART, "inventory", State.UNKNOWN, f"ansible-inventory cannot be run ({error.strerror})"))
    if done.returncode:
        return Read(Check(PART, "inventory", State.BAD, _reason(done.stderr), f"mend {paths[0]}"))
    try:
        content = json.loads(done.stdout)
    except ValueError:
        return Read(Check(PART, "inventory", State.UNKNOWN, "ansible-inventory gave no JSON"))
    return _judge(content, request.target or GROUP, paths[0])


def _judge(content: Mapping[str, Any], target: str, path: Path) -> Read:
    variables = content.get("_meta", {}).get("hostvars", {})
    hosts = tuple(_hosts(content, target)) or ((target,) if target in variables else ())
    if not hosts:
        remedy = f"an inventory with a host in group {target!r}, or --target"
        return Read(Check(PART, "inventory", State.BAD, f"{path} has no host in group {target!r}", remedy))
    detail = f"{path}: {', '.join(hosts)}"
    return Read(Check(PART, "inventory", State.OK, detail), hosts, variables.get(hosts[0], {}))


def _hosts(content: Mapping[str, Any], group: str) -> list[str]:
    found = content.get(group) or {}
    below = [host for child in found.get("children") or () for host in _hosts(content, child)]
    return [*(found.get("hosts") or ()), *below]


def place(variables: Mapping[str, Any]) -> Check:
    """Where the checks run: here, or on a bastion over SSH."""
    bastion = str(variables.get("dhakacart_bastion") or "")
    if bastion:
        detail = f"on the bastion {bastion}, over SSH; evidence and judgement stay here"
        return Check(PART, "checks run", State.OK, detail)
    return Check(PART, "checks run", State.OK, "here, on the controller (dhakacart_bastion is not set)")


def incidents(variables: Mapping[str, Any], path: Path) -> tuple[Path | None, Check]:
    """The folder of the incident records, and whether records can be written there."""
    from .machine import folder

    told = str(variables.get("dhakacart_incident_dir") or "")
    home = path if path.is_dir() else path.parent
    plain = told.replace("{{ inventory_dir }}", str(home)).replace("{{inventory_dir}}", str(home))
    if not told or "{{" in plain:
        unknown = "dhakacart_incident_dir is made of other values" if told else "dhakacart_incident_dir is not set"
        return None, Check(PART, "incident folder", State.UNKNOWN if told else State.BAD, unknown, "set it to a path")
    found = Path(os.path.normpath(Path(plain).expanduser()))
    check = folder("incident folder", found, "set dhakacart_incident_dir to a folder that can be written")
    return found, Check(PART, check.name, check.state, check.detail, check.remedy)


def values(message: str) -> Check:
    """What the preflight found wrong with a variable or a file of credentials; nothing wrong for an empty message."""
    if not message:
        return Check(PART, "variables", State.OK, "all are set, of the right kind, and their files can be read")
    return failed(PART, "variables", message)


def _command(paths: list[Path]) -> list[str]:
    program = Path(sys.executable).parent / "ansible-inventory"
    argv = [str(program) if program.exists() else "ansible-inventory", "--list"]
    return [*argv, *(part for path in paths for part in ("-i", str(path)))]


def _surroundings(catalogue: Catalogue) -> dict[str, Any]:
    root = catalogue.collection.root
    found = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")
    search = os.pathsep.join([str(catalogue.collection.search_path), *([found] if found else [])])
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": search,
        "ANSIBLE_NOCOLOR": "1",
        # Without these a file with a typing error is an inventory without hosts.
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
    }
    return {
        "cwd": root,
        "env": environment,
        "stdin": subprocess.DEVNULL,
        "capture_output": True,
        "text": True,
    }


def _reason(stderr: str) -> str:
    rows = [row.strip() for row in stderr.splitlines() if row.strip()]
    errors = [row for row in rows if row.startswith(("[ERROR]", "ERROR"))]
    return (errors or rows or ["no reason was given"])[0].removeprefix("[ERROR]:").strip()
