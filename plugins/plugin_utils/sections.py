# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections of a runbook: their tags, their budgets, and what comes next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Section:
    """A tagged play.

    :param tag: what the person types.
    :param budget: seconds, as the page's headings promise; a section that takes longer says so and goes on.
    """

    tag: str
    budget: float


SECTIONS = {
    section.tag: section
    for section in (
        Section("symptoms", 60),
        Section("immediate", 300),
        Section("investigation", 600),
        Section("resolution", 2700),
        Section("verification", 300),
        Section("prevention", 60),
        Section("escalation", 60),
    )
}
# Sections that may change something.
CHANGING = frozenset({"immediate", "resolution", "verification"})
# Tags that Ansible itself gives a meaning to. Not "never": it would run every section that changes something.
ANSIBLE_TAGS = frozenset({"all", "always", "tagged", "untagged"})


def command(runbook: str, section: str, variables: Mapping[str, Any], extra: str = "") -> str:
    """The command that runs a section in the same environment, to be pasted.

    :param variables: the task's variables; ``ansible_inventory_sources`` names the inventories and ``playbook_dir``
        where this run came from: the checkout it was started in, another one, or the installed collection.
    """
    playbooks = Path(str(variables.get("playbook_dir") or "playbooks"))
    here = not playbooks.is_absolute() or playbooks.parent.resolve() == Path.cwd().resolve()
    if here:
        playbook = f"playbooks/{runbook}.yml"
    elif "ansible_collections" in playbooks.parts:
        playbook = f"dhakacart.runbooks.{runbook.replace('-', '_')}"
    else:
        playbook = str(playbooks / f"{runbook}.yml")
    parts = ["ansible-playbook", playbook, "--tags", section]
    inventories = [_shown(source, here) for source in _sources(variables)]
    if inventories != ["inventories/lab"]:
        parts += [part for shown in inventories for part in ("-i", shown)]
    if target := variables.get("dhakacart_target"):
        parts += ["-e", f"dhakacart_target={target}"]
    return " ".join([shlex.join(parts), *([extra] if extra else [])])


def _sources(variables: Mapping[str, Any]) -> list[Path]:
    """The inventories of this run, in their order: what a later one sets wins, so none may be left out."""
    sources = variables.get("ansible_inventory_sources") or [variables.get("inventory_dir") or ""]
    return [path for source in sources if (path := Path(str(source))).name]


def _shown(inventory: Path, here: bool) -> str:
    return f"inventories/{inventory.name}" if here and inventory.parent.name == "inventories" else str(inventory)


def clock(seconds: float) -> str:
    """Minutes and seconds, ``0:04``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
