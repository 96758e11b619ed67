# SPDX-License-Identifier: GPL-3.0-or-later
"""The renderings of a record in files: each whole or not at all."""

from __future__ import annotations

import hashlib
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


DRAFT = "postmortem"
FURTHER = "postmortem.new.md"
_MARK = "<!-- draft, nothing changed by hand yet: "


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
    A draft in which somebody has written stays; the new one is written beside it.

    :raises InfrastructureError: a file cannot be written; those before it are.
    """
    written = {}
    for name in names:
        file, render = FILES[name]
        text = render(record, made)
        if name == DRAFT:  # people go on writing in it
            text = _marked(text)
            file = file if _untouched(folder / file) else FURTHER
        written[name] = _put(folder / file, text)
    return written


def _marked(text: str) -> str:
    return f"{text.rstrip()}\n\n{_MARK}{_digest(text)} -->\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


def _untouched(path: Path) -> bool:
    """Whether nobody has written in a draft since it was made; also where there is none."""
    try:
        text, mark, digest = path.read_text(encoding="utf-8").rpartition(_MARK)
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False
    return bool(mark) and digest.strip() == f"{_digest(text)} -->"


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
