# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook lab``: start, look at, break, heal and end a local DhakaCart."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .layout import DEFAULT_NAME, DEFAULT_PLAYS, Foreign, LabError, Layout, UsageError

WIDE = 200

app = typer.Typer(
    help="A local DhakaCart that can be broken on purpose.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
# safe: without a width of its own a pipe gets lines broken at 80 columns.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Name = Annotated[str, typer.Option("--name", "-n", help="Which lab; several run side by side.", envvar="DHAKACART_LAB")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]

# As everywhere in `runbook`.
EXIT_USAGE = 1
EXIT_UNHEALTHY = 2
EXIT_INTERRUPTED = 3
EXIT_INFRASTRUCTURE = 4


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What fails becomes one line on standard error and exit code 4, 1 for bad input; Ctrl-C one line and 3."""
    from .failures import as_lab_errors

    try:
        with as_lab_errors():
            yield
    except LabError as error:
        err.print(f"runbook lab: {error}", style="red", markup=False)
        raise typer.Exit(EXIT_USAGE if isinstance(error, UsageError) else EXIT_INFRASTRUCTURE) from None
    except KeyboardInterrupt:
        err.print("runbook lab: interrupted; remedy: runbook lab up goes on, runbook lab down removes it", style="red")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def progress(line: str) -> None:
    err.print(f"  {line}", markup=False)


def playbook(layout: Layout, runbook: str, arguments: str = "") -> str:
    """The command that runs a playbook on the lab."""
    if layout.environment != DEFAULT_PLAYS:
        inventories = f" -i inventories/{layout.environment} -i {layout.inventory}"
        return f"Next: ansible-playbook{inventories} playbooks/{runbook}.yml{arguments}"
    chosen = "" if layout.name == DEFAULT_NAME else f"DHAKACART_LAB={layout.name} "
    return f"Next: {chosen}ansible-playbook playbooks/{runbook}.yml{arguments}"


@app.command()
def up(
    name: Name = DEFAULT_NAME,
    plays: Annotated[
        str | None, typer.Option("--as", help="The environment it plays, with its names and approvals: lab, staging.")
    ] = None,
    kubernetes: Annotated[
        str | None, typer.Option(help="Where its Kubernetes comes from: simulated, control-plane, kubeconfig.")
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Of a cluster to be thrown away, for `--kubernetes kubeconfig`.")
    ] = None,
    context: Annotated[str, typer.Option(help="Of that kubeconfig; its current one where none is named.")] = "",
) -> None:
    """Start the lab; one that is half dead is repaired, and faults whose lease is over are healed.

    Example: `runbook lab up`; `runbook lab up --name rehearsal --as staging --kubernetes control-plane`
    """
    from .lab import Lab

    with one_line_errors():
        begin = time.monotonic()
        if context and not kubeconfig:
            raise UsageError("--context: of which kubeconfig? remedy: --kubeconfig FILE")
        foreign = Foreign(str(kubeconfig.absolute()), context) if kubeconfig else None
        lab = Lab.up(name, progress, plays=plays, provider=kubernetes, foreign=foreign)
        what = f"lab {name!r}" + ("" if lab.layout.environment == DEFAULT_PLAYS else f" ({lab.layout.environment})")
        out.print(f"{what} is up after {time.monotonic() - begin:.0f} s: shop http://{lab.layout.load_balancer}")
        out.print(playbook(lab.layout, "database-failure"), markup=False)


@app.command()
def down(name: Name = DEFAULT_NAME) -> None:
    """End every process of the lab and remove its folder."""
    from .lab import Lab

    with one_line_errors():
        folder = Lab.remove(name, progress)
        out.print(f"lab {name!r} is down; {folder} is removed", markup=False)


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
            table.add_row(part.name, "ok" if part.healthy else "[red]bad[/red]", escape(part.detail))
        out.print(table)
    if not all(part.healthy for part in parts):
        raise typer.Exit(EXIT_UNHEALTHY)


@app.command()
def faults(
    as_json: Json = False,
    causes: Annotated[
        bool, typer.Option("--causes", help="Also the true cause and the branch that resolves it.")
    ] = False,
) -> None:
    """List what can be broken. Who is to find the cause looks without `--causes`.

    Example: `runbook lab faults --causes`
    """
    from .faults.catalogue import FAULTS

    if as_json:
        truth = [{"cause": f.cause, "branch": f.branch} if causes else {} for f in FAULTS.values()]
        rows = [{"name": f.name, "title": f.title} for f in FAULTS.values()]
        out.print_json(json.dumps([{**row, **more} for row, more in zip(rows, truth, strict=True)]))
        return
    table = Table("fault", "what it does", *(("cause", "branch") if causes else ()), box=None, pad_edge=False)
    for fault in FAULTS.values():
        table.add_row(fault.name, fault.title, *((fault.cause, fault.branch or "none, see the page") if causes else ()))
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
        lab = Lab.open(name)
        found = inject(lab, fault, lease=lease)
        out.print(f"{found.name}: {found.title} It is healed by itself after {lease:.0f} s.", markup=False)
        out.print(playbook(lab.layout, found.runbook, " --tags immediate"), markup=False)


@app.command()
def heal(name: Name = DEFAULT_NAME) -> None:
    """Put everything back, whatever was broken and however far it has been repaired."""
    from .faults.catalogue import heal as heal_all
    from .lab import Lab

    with one_line_errors():
        healed = heal_all(Lab.open(name))
        out.print(f"healed: {', '.join(healed) or 'nothing was broken'}; the shop takes orders")
