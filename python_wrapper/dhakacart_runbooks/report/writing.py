# SPDX-License-Identifier: GPL-3.0-or-later
"""The renderings of a record in files: each whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..errors import InfrastructureError, UsageError
from . import html, markdown
from .model import Record

FILES: Mapping[str, tuple[str, Callable[[Record, float], str]]] = {
    "md": ("report.md", markdown.render),
    "html": ("report.html", html.render),
    "postmortem": ("postmortem.md", markdown.render_postmortem),
}


def formats(text: str) -> tuple[str, ...]:
    """``md,html`` as names.

    :raises UsageError: one is not known.
    """
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names or any(name not in FILES for name in names):
        raise UsageError(
            f"{text!r} is no format", where="--format", remedy=f"--format {','.join(FILES)}, or some of them"
        )
    return names


def write(record: Record, folder: Path, names: Iterable[str], made: float) -> dict[str, Path]:
    """Render and write; the path of each file by its format.

    :param made: epoch seconds that the pages name as their own age.
    :raises InfrastructureError: a file cannot be written; those before it are.
    """
    written = {}
    for name in names:
        file, render = FILES[name]
        written[name] = _put(folder / file, render(record, made))
    return written


def _put(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InfrastructureError(
            f"cannot be written ({error.strerror})", where=str(path), remedy="name another folder: --out DIR"
        ) from None
    return path
