# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the collection is: the checkout one stands in, the one this package was installed from, or an installed one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .errors import InfrastructureError
from .paths import expanded

NAMESPACE, NAME = "dhakacart", "runbooks"
VARIABLE = "DHAKACART_COLLECTION"
REMEDY = f"stand in a checkout, set {VARIABLE}, or: ansible-galaxy collection install {NAMESPACE}.{NAME}"


@dataclass(frozen=True)
class Collection:
    """The collection ``dhakacart.runbooks`` on this machine.

    :param root: the folder with ``playbooks/``, ``runbooks/`` and ``inventories/``.
    :param checkout: a checkout is run by paths, with its own ``ansible.cfg``; an installed one by its full name.
    """

    root: Path
    version: str
    checkout: bool

    @property
    def search_path(self) -> Path:
        """What ``ANSIBLE_COLLECTIONS_PATH`` needs so that Ansible finds it."""
        return self.root / ".collections" if self.checkout else self.root.parents[2]

    @classmethod
    def find(cls, start: Path | None = None) -> Collection:
        """The one that commands started in ``start`` (the current folder) are about.

        The first of: the one named by ``DHAKACART_COLLECTION``, a checkout around ``start``, the checkout of this
        package, an installed collection.

        :raises InfrastructureError: there is none, or the one that was named is none.
        """
        if named := os.environ.get(VARIABLE):
            found = _at(expanded(named))
            if found is None:
                raise InfrastructureError(
                    f"{named} is no {NAMESPACE}.{NAME} collection",
                    where=VARIABLE,
                    remedy="name a checkout, or unset it",
                )
            if not _findable(found):
                raise InfrastructureError(
                    f"{named} is not in a folder ansible_collections/{NAMESPACE}/{NAME}, where Ansible looks for it",
                    where=VARIABLE,
                    remedy=f"ansible-galaxy collection install {NAMESPACE}.{NAME}",
                )
            return found
        for folder in _candidates(start):
            if (found := _at(folder)) and _findable(found):
                return found
        raise InfrastructureError(f"no {NAMESPACE}.{NAME} collection found", remedy=REMEDY)


def _candidates(start: Path | None) -> Iterator[Path]:
    try:
        here = (start or Path.cwd()).resolve()
    except OSError:  # the current folder was removed, or may not be looked at
        here = Path("/")
    yield from (here, *here.parents)
    yield Path(__file__).resolve().parents[2]
    for folder in _collection_paths():
        yield folder / "ansible_collections" / NAMESPACE / NAME


def _collection_paths() -> Iterator[Path]:
    """As Ansible looks for collections."""
    for variable in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"):
        yield from (expanded(part) for part in os.environ.get(variable, "").split(os.pathsep) if part)
    home = os.environ.get("ANSIBLE_HOME") or "~/.ansible"
    yield expanded(home) / "collections"
    yield Path("/usr/share/ansible/collections")
    yield from (Path(part) for part in sys.path if part)


def _at(folder: Path) -> Collection | None:
    content = _load(folder / "galaxy.yml")
    if (content.get("namespace"), content.get("name")) == (NAMESPACE, NAME):
        return Collection(folder.resolve(), str(content.get("version")), checkout=True)
    info = _load(folder / "MANIFEST.json").get("collection_info")
    if isinstance(info, dict) and (info.get("namespace"), info.get("name")) == (NAMESPACE, NAME):
        return Collection(folder.resolve(), str(info.get("version")), checkout=False)
    return None


def _findable(found: Collection) -> bool:
    """Ansible finds an installed collection by the names of its folders, and no other way."""
    return found.checkout or found.root.parts[-3:] == ("ansible_collections", NAMESPACE, NAME)


def _load(path: Path) -> dict[str, Any]:
    """The mapping in a file; nothing where it is none: somebody else's file of the same name is no error."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}
