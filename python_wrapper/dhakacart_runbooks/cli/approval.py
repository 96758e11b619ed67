# SPDX-License-Identifier: GPL-3.0-or-later
"""Approval is asked for before Ansible is started, by this command itself, and never by a prompt behind a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
import yaml

from ..catalogue import COMMON, Catalogue
from ..errors import UsageError
from ..request import RunRequest

# The sections whose plays ask; what `immediate` does can be taken back.
ASKING = frozenset({"resolution"})
VARIABLE = "dhakacart_approval_required"


def approved(request: RunRequest, catalogue: Catalogue, *, ask: bool) -> RunRequest:
    """The request, with the reason that was typed where one had to be asked for.

    :param ask: whether somebody is there to be asked.
    :raises UsageError: the run changes an environment that wants an approval, and there is none.
    """
    section = next((name for name in request.sections if name in ASKING), "")
    if not section or request.check or request.approve is not None or required(request, catalogue) is not True:
        return request
    name = Path(request.inventory).name if request.inventory else "lab"
    refusal = UsageError(
        f"{request.runbook} / {section} changes {name}, and that is not approved; nothing was started",
        where="--approve",
        remedy='--approve "why", or --check to see what it would do',
    )
    if not ask:
        raise refusal
    typer.echo(f"{request.runbook} / {section} changes {name}.", err=True)
    if _typed(f"Type {name} to approve") != name:
        raise refusal
    reason = _typed("Why (it is recorded)")
    if not reason:
        raise refusal
    return replace(request, approve=reason)


def _typed(question: str) -> str:
    """What a person types; KeyboardInterrupt where they leave."""
    try:
        return str(typer.prompt(question, default="", show_default=False, err=True)).strip()
    except typer.Abort:
        typer.echo(err=True)
        raise KeyboardInterrupt from None


def somebody_is_there() -> bool:
    """Whether a question would be read and answered by a person."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def required(request: RunRequest, catalogue: Catalogue) -> bool | None:
    """Whether the inventory wants an approval; None where only Ansible can tell, which then refuses by itself."""
    if VARIABLE in request.variables:
        return _flag(request.variables[VARIABLE])
    answer: bool | None = None
    places = (catalogue.collection.root / COMMON, *(catalogue.inventory(i) for i in _inventories(request)))
    for place in places:
        for said in _said(place):
            if said is None:
                return None
            answer = said
    return answer


def _inventories(request: RunRequest) -> Iterable[str | None]:
    return (request.inventory, *request.overlays)


def _said(place: Path) -> Iterable[bool | None]:
    """What the files of an inventory set, in the order in which Ansible reads them."""
    if place.is_dir():
        everywhere = sorted((place / "group_vars/all").glob("*.yml"))
        others = [p for p in sorted(place.rglob("*")) if p.is_file() and p not in everywhere]
        files = [(path, False) for path in everywhere] + [(path, True) for path in others]
    else:
        files = [(place, place.name != COMMON.name)]
    for path, elsewhere in files:
        yield from _in_file(path, elsewhere)


def _in_file(path: Path, elsewhere: bool) -> Iterable[bool | None]:
    try:
        text = path.read_text(encoding="utf-8")
        if not any(line.lstrip().startswith(VARIABLE) for line in text.splitlines()):
            return
        content = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError):
        yield None
        return
    # Below a host or another group than "all" it holds for some of the hosts only.
    known = not elsewhere and isinstance(content, dict) and VARIABLE in content
    yield _flag(content[VARIABLE]) if known else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
