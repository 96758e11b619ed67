# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``runbook`` command."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Run, rehearse and prove DhakaCart's runbooks.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Keeps ``runbook lab`` a sub-command also while it is the only one."""


def main() -> None:
    """Entry point of the console script."""
    try:
        from dhakacart_lab.cli import app as lab
    except ModuleNotFoundError as missing:  # the lab's packages are an extra
        name = missing.name

        @app.command(name="lab")
        def without_lab() -> None:
            """The local DhakaCart (not installed here)."""
            typer.echo(f"runbook lab: Python package {name!r} is missing; remedy: make setup", err=True)
            raise typer.Exit(4)

    else:
        app.add_typer(lab, name="lab")
    app()


if __name__ == "__main__":
    main()
