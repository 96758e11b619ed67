# SPDX-License-Identifier: GPL-3.0-or-later
"""A record as Markdown: the report, and the draft of a post-mortem. Pure.

Whatever the record says is text: every value is escaped, so that it can neither make markup nor break a table.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jinja2

from .model import Record
from .page import FILTERS, TEMPLATES
from .text import one_line, shorten
from .view import View, pairs

_SPECIAL = re.compile(r"([\\`*\[\]<>#|~&{}$]|(?<![^\W_])_|_(?![^\W_]))")
# What would begin a list, a ruler or a heading where a line begins with the text.
_BLOCK_START = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[-+=]))")
_TICKS = re.compile(r"`+")
MOST_TEXT = 500


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def inline(text: object) -> Markdown:
    """Foreign text in one line, in which nothing is markup."""
    if isinstance(text, Markdown):
        return text
    escaped = _SPECIAL.sub(r"\\\1", one_line(shorten(str(text), MOST_TEXT)))
    return Markdown(_BLOCK_START.sub(r"\1\\", escaped))


def code(text: object) -> Markdown:
    """A code span."""
    shown = one_line(str(text))
    fence = "`" * (max(map(len, _TICKS.findall(shown)), default=0) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return Markdown(f"{fence}{space}{shown}{space}{fence}") if shown else Markdown("")


def cell(text: object) -> Markdown:
    """A code span inside a table: a bar needs a backslash there, which the table takes away again."""
    return Markdown(code(text).replace("|", "\\|"))


def block(text: object) -> Markdown:
    """A fenced block that its content cannot end."""
    shown = str(text).strip("\n")
    fence = "`" * max(3, max(map(len, _TICKS.findall(shown)), default=0) + 1)
    return Markdown(f"{fence}text\n{shown}\n{fence}")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(  # noqa: S701 - no HTML: ``finalize`` escapes every value for Markdown instead
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=inline,
    )
    made.filters.update(FILTERS, code=code, cell=cell, block=block)
    return made


def render(record: Record, made: float) -> str:
    """The report.

    :param made: epoch seconds at which the report is made.
    """
    return _render("report.md.j2", record, made)


def render_postmortem(record: Record, made: float) -> str:
    """The draft of a post-mortem: what the record knows, and TODO where people have to say it."""
    return _render("postmortem.md.j2", record, made)


def _render(template: str, record: Record, made: float) -> str:
    context: dict[str, Any] = {"view": View(record), "record": record, "made": made, "pairs": pairs}
    text = _environment().get_template(template).render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
