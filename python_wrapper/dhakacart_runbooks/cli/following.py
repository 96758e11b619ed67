# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection says what to type next in terms of ``ansible-playbook``; here it is said in terms of ``runbook``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..catalogue import Catalogue
from ..errors import RunbookError

PROGRAM = "ansible-playbook "
FULL_NAME = "dhakacart.runbooks."
APPROVE = '--approve "why"'


def translate(text: str, catalogue: Catalogue) -> str:
    """``text`` with its ``ansible-playbook`` command as the ``runbook`` command that does the same.

    A command with anything that this does not know, like a playbook of somebody else's, stays as it is.
    """
    before, found, command = text.partition(PROGRAM)
    if not found:
        return text
    try:
        words = shlex.split(command)
    except ValueError:
        return text
    told = _tell(words, catalogue)
    return f"{before}{told}" if told else text


def translated(text: str) -> str:
    """The same for what was kept: it stays as it is where there is no collection any more."""
    try:
        return translate(text, Catalogue.load())
    except RunbookError:
        return text


def _tell(words: Sequence[str], catalogue: Catalogue) -> str:
    """The ``runbook`` command; empty where one of the words is not known."""
    slug = _slug(words[0], catalogue) if words else ""
    if not slug:
        return ""
    told = ["runbook", "triage"] if slug == "triage" else ["runbook", "run", slug]
    approved = False
    rest = iter(words[1:])
    for word in rest:
        part = _option(word, next(rest, ""), catalogue)
        if part is None:
            return ""
        approved = approved or part == [APPROVE]
        told += [] if part == [APPROVE] else part
    return " ".join([shlex.join(told), *([APPROVE] if approved else [])])


def _option(word: str, value: str, catalogue: Catalogue) -> list[str] | None:
    if word == "--tags" and value:
        return [part for tag in value.split(",") for part in ("-s", tag)]
    if word == "-i" and value:
        return ["-i", _inventory(value, catalogue)]
    if word == "-e":
        return next(_variable(value), None)
    return None


def _variable(value: str) -> Iterator[list[str]]:
    name, _, content = value.partition("=")
    if (name, content) == ("approve", "true"):
        yield [APPROVE]
    elif name == "dhakacart_target" and content:
        yield ["--target", content]
    elif name == "branch" and content:
        yield ["--branch", content]


def _slug(playbook: str, catalogue: Catalogue) -> str:
    """The runbook or tool whose playbook this is, by path or full name; empty for another."""
    known = {**catalogue.runbooks, **catalogue.tools}
    if playbook.startswith(FULL_NAME):
        name = playbook.removeprefix(FULL_NAME).replace("_", "-")
        return name if name in known else ""
    path = Path(playbook)
    home = catalogue.collection.root / "playbooks"
    if path.parent != Path("playbooks") and path.parent != home:
        return ""
    return path.stem if path.stem in known else ""


def _inventory(path: str, catalogue: Catalogue) -> str:
    """Its name where it is one of the collection's."""
    folder = Path(path)
    if folder.name in catalogue.inventories() and folder.parent in (
        Path("inventories"),
        catalogue.collection.root / "inventories",
    ):
        return folder.name
    return path
