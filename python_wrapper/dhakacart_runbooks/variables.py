# SPDX-License-Identifier: GPL-3.0-or-later
"""Which extra variables a request may set: Ansible itself takes a mistyped one and does nothing with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from .errors import UsageError

# A variable at the start of a line, also one that an inventory only offers in a comment.
_DEFINED = re.compile(r"^(?:# )?([a-z][a-z0-9_]*):", re.MULTILINE)
_SECRET = re.compile(r"(?i)(pass(word|wd|phrase)?|secret|token|api_?key|credential|private_?key)")
# They have fields of their own in a request.
_FIELDS = {"branch": "branch", "approve": "approve", "dhakacart_target": "target", "dhakacart_incident": "incident"}


def check_variables(variables: Mapping[str, Any], root: Path) -> None:
    """Whether every variable is one that the inventories or roles of the collection know, and none a secret.

    :raises UsageError: one is not.
    """
    known = _known(root) if variables else frozenset()
    for name in variables:
        if name in _FIELDS:
            raise UsageError(
                f"{name} is not set as a variable", where="-e", remedy=f"use the option --{_FIELDS[name]} for it"
            )
        if name in known or (name.startswith("ansible_") and not _SECRET.search(name)):
            continue
        if _SECRET.search(name):
            raise UsageError(
                f"{name} looks like a secret, and variables are visible to others",
                where="-e",
                remedy="put it into the file that the inventory names for it",
            )
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise UsageError(
            f"unknown variable {name!r}", where="-e", remedy=f"{hint}inventories/common/platform.yml lists them"
        )


@lru_cache(maxsize=8)
def _known(root: Path) -> frozenset[str]:
    names: set[str] = set()
    for path in (root / "inventories").glob("**/*.yml"):
        names.update(_DEFINED.findall(_text(path)))
    for path in (root / "roles").glob("*/meta/argument_specs.yml"):
        names.update(_options(path))
    for path in (root / "playbooks").glob("*.yml"):
        names.update(_asked(path))
    return frozenset(names)


def _options(path: Path) -> Iterable[str]:
    try:
        content = yaml.safe_load(_text(path))
        for spec in content["argument_specs"].values():
            yield from spec.get("options") or ()
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError):  # Ansible itself says what is wrong
        return


def _asked(path: Path) -> Iterable[str]:
    """Variables that a playbook takes and has a default for."""
    return re.findall(r"\{\{\s*([a-z][a-z0-9_]*)\s*\|\s*default", _text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
