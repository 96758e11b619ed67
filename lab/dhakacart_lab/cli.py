# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook lab``: start, look at, break, heal and end a local DhakaCart."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from .layout import DEFAULT_NAME, LabError

app = typer.Typer(
    help="A local DhakaCart that can be broken on purpose.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Name = Annotated[str, typer.Option("--name", "-n", help="Which lab; several run side by side.", envvar="DHAKACART_LAB")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]

EXIT_UNHEALTHY = 2
EXIT_INFRASTRUCTURE = 4


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A LabError becomes one line on standard error and exit code 4."""
    try:
        yield
    except LabError as error:
        err.print(f"runbook lab: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_INFRASTRUCTURE) from None


def progress(line: str) -> None:
    err.print(f"  {line}", markup=False)


@app.command()
def up(name: Name = DEFAULT_NAME) -> None:
    """Start the lab; one that is half dead is repaired.

    Example: `runbook lab up`
    """
    from .lab import Lab

    with one_line_errors():
        begin = time.monotonic()
        lab = Lab.up(name, progress)
        out.print(f"lab {name!r} is up after {time.monotonic() - begin:.0f} s: shop http://{lab.layout.load_balancer}")
        out.print("Next: ansible-playbook playbooks/database-failure.yml", markup=False)


@app.command()
def down(name: Name = DEFAULT_NAME) -> None:
    """End every process of the lab and remove its folder."""
    from .lab import Lab

    with one_line_errors():
        lab = Lab.open(name, progress)
        lab.down()
        out.print(f"lab {name!r} is down; {lab.layout.folder} is removed", soft_wrap=True)


@app.command()
def status(name: Name = DEFAULT_NAME, as_json: Json = False) -> None:
    """Show every part; exit code 2 when one is not well."""
    from .lab import Lab

    with one_line_errors():
        parts = Lab.open(name).status()
    if as_json:
        out.print_json(json.dumps([{"name": p.name, "healthy": p.healthy, "detail": p.detail} for p in parts]))
    else:
        table = Table("part", "state", "detail", box=None, pad_edge=False)
        for part in parts:
            table.add_row(part.name, "ok" if part.healthy else "[red]bad[/red]", part.detail)
        out.print(table)
    if not all(part.healthy for part in parts):
        raise typer.Exit(EXIT_UNHEALTHY)


@app.command()
def faults(as_json: Json = False) -> None:
    """List what can be broken. (The true cause is in the list, so a blind drill does not look here.)"""
    from .faults.catalogue import FAULTS

    if as_json:
        rows = [{"name": f.name, "title": f.title, "cause": f.cause, "branch": f.branch} for f in FAULTS.values()]
        out.print_json(json.dumps(rows))
        return
    table = Table("fault", "what it does", "resolution branch", box=None, pad_edge=False)
    for fault in FAULTS.values():
        table.add_row(fault.name, fault.title, fault.branch or "none, see the page")
    out.print(table)


@app.command(name="break")
def break_(
    fault: Annotated[str, typer.Argument(help="Its name; `runbook lab faults` lists them.")],
    name: Name = DEFAULT_NAME,
    lease: Annotated[float, typer.Option("--for", help="Seconds after which the janitor heals it.")] = 1800.0,
) -> None:
    """Break something.

    Example: `runbook lab break primary-killed --for 600`
    """
    from .faults.catalogue import inject
    from .lab import Lab

    with one_line_errors():
        found = inject(Lab.open(name), fault, lease=lease)
        out.print(f"{found.name}: {found.title} It is healed by itself after {lease:.0f} s.", markup=False)
        out.print(f"Next: ansible-playbook playbooks/{found.runbook}.yml --tags immediate", markup=False)


@app.command()
def heal(name: Name = DEFAULT_NAME) -> None:
    """Put everything back, whatever was broken and however far it has been repaired."""
    from .faults.catalogue import heal as heal_all
    from .lab import Lab

    with one_line_errors():
        healed = heal_all(Lab.open(name))
        out.print(f"healed: {', '.join(healed) or 'nothing was broken'}; the shop takes orders")
