# SPDX-License-Identifier: GPL-3.0-or-later
"""A page of a runbook, for a terminal and for a browser. It prints nothing itself."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import ClassVar

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from ..catalogue import Runbook
from ..pages import Page, PageSection
from .list_ import SEVERITY_STYLES

# Rich's own draws code on black, which hurts on a light terminal.
THEME = Theme(
    {
        "markdown.code": "cyan",
        "markdown.h2": "bold",
        "markdown.h3": "bold",
        "markdown.table.header": "bold",
        "markdown.table.border": "dim",
        "markdown.item.bullet": "dim",
        "markdown.link_url": "dim",
    }
)
# What the answer to a step begins with stands on a line of its own. A line that is indented is a command.
_LABELS = re.compile(r"\b(Good|Bad|By hand|Undo):")
_LABELLED = re.compile(r"\*\*(?:Good|Bad|By hand|Undo):\*\*|Undo,")
_RELATIVE_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")
_BUDGET = re.compile(r"\((.+)\)$")


class _Code(CodeBlock):
    """Commands without a box and unbroken, so that they can be copied."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in str(self.text).rstrip().splitlines():
            style = "dim" if row.lstrip().startswith("#") else "cyan"
            yield Text(f"    {row}", style=style, no_wrap=True, overflow="ignore")


class _Heading(Heading):
    """On the left, and a section under a line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.tag == "h2":
            yield Rule(self.text, align="left", style="dim", characters="─")
        else:
            yield self.text


class _Table(TableElement):
    """Breaks a long name rather than cut it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                for column in table.columns:
                    column.overflow = "fold"
            yield table


class _Page(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "table_open": _Table,
    }


def page_view(runbook: Runbook, page: Page, section: PageSection | None, alerts: Sequence[str]) -> RenderableType:
    """A page, or one section of it, ready to print; with ``THEME``."""
    if section:
        title = Text(f"{page.title} / {section.tag}", style="dim")
        return Group(title, Text(), _markdown(section.text), *_run(runbook, section.tag))
    parts = "\n\n".join(part.text for part in page.sections)
    return Group(*_header(runbook, page, alerts), Text(), _contents(runbook, page), Text(), _markdown(parts))


def _header(runbook: Runbook, page: Page, alerts: Sequence[str]) -> Iterator[RenderableType]:
    severity = (runbook.severity, SEVERITY_STYLES.get(runbook.severity, ""))
    yield Text.assemble((page.title, "bold"), "  ", severity, (f" {runbook.category}", "dim"))
    fields = Table.grid(padding=(0, 2))
    fields.add_column(style="dim", no_wrap=True)
    values = {
        "Owner": runbook.owner,
        "Updated": str(runbook.updated or ""),
        "Review": _review(runbook.review),
        "Alerts": ", ".join(alerts),
    }
    for name, value in values.items():
        if value:
            fields.add_row(name, Text(value))
    yield fields


def _review(due: date | None) -> str:
    if due is None:
        return ""
    return f"{due}, overdue: trust it less" if due < date.today() else str(due)


def _contents(runbook: Runbook, page: Page) -> Table:
    """Its sections: how long each may take, how many steps it has, and the command."""
    gated = {section.tag: section.gated for section in runbook.sections}
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    table.add_column("Section", no_wrap=True)
    table.add_column("Time", no_wrap=True)
    table.add_column("Steps", no_wrap=True, justify="right")
    table.add_column(f"runbook run {runbook.slug} \N{HORIZONTAL ELLIPSIS}")
    for part in page.sections:
        if part.tag in gated:
            budget = _BUDGET.search(part.heading)
            how = "only when asked for" if gated[part.tag] else "reads only"
            command = Text(f"-s {part.tag}", style="cyan").append(f"  {how}", style="dim")
            table.add_row(part.tag, budget[1] if budget else "", str(len(part.steps)), command)
    return table


def _run(runbook: Runbook, tag: str) -> Iterator[Text]:
    if any(section.tag == tag for section in runbook.sections):
        yield Text()
        yield Text(f"Next: runbook run {runbook.slug} -s {tag}", style="bold")


def _markdown(text: str) -> _Page:
    rows = [_row(row) for row in text.splitlines()]
    for at, row in enumerate(rows[1:]):
        if rows[at] and _LABELLED.match(row):
            rows[at] += "  "  # a break, in Markdown
    return _Page("\n".join(rows), hyperlinks=False)


def _row(row: str) -> str:
    if row.startswith("    "):
        return row
    if row.startswith("|"):  # the path of another page takes the room of what is said of it
        row = _RELATIVE_LINK.sub(r"\1", row)
    return _LABELS.sub(r"**\1:**", row)


_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code { font: 0.9em ui-monospace, monospace } pre { overflow-x: auto; padding: 0.6rem; border-left: 3px solid #8888 }
table { border-collapse: collapse }
th, td { border: 1px solid #8888; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top }
h2 { border-bottom: 1px solid #8888; margin-top: 2.5rem }
"""


def to_html(page: Page) -> str:
    """The page as one HTML document that needs nothing else."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(page.text)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(page.title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}</body></html>\n"
    )
