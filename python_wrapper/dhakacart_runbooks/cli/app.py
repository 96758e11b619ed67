# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``runbook`` command, put together."""

from __future__ import annotations

import importlib
import sys

import typer

from ..errors import ExitCode

app = typer.Typer(
    help="Run, rehearse and prove DhakaCart's runbooks.\n\n"
    "Exit codes: 0 healthy, 1 usage, 2 failed or unhealthy, 3 interrupted, 4 infrastructure.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Keeps sub-commands sub-commands."""


# In the order of the help. Each has a function ``add(app)`` and imports what is heavy only when it is called.
COMMANDS = ("list_", "show", "search", "triage", "run", "doctor", "drill", "report", "history")


def _add_commands() -> None:
    for name in COMMANDS:
        try:
            importlib.import_module(f".{name}", __package__).add(app)
        except ModuleNotFoundError as missing:  # until all of them are there
            if missing.name != f"{__package__}.{name}":
                raise


def _add_lab() -> None:
    try:
        from dhakacart_lab.cli import app as lab
    except ModuleNotFoundError as missing:  # the lab's packages are an extra
        name = missing.name

        @app.command(name="lab")
        def without_lab() -> None:
            """The local DhakaCart (not installed here)."""
            typer.echo(f"runbook lab: Python package {name!r} is missing; remedy: make setup", err=True)
            raise typer.Exit(int(ExitCode.INFRASTRUCTURE))

    else:
        app.add_typer(lab, name="lab")


# Typer carries a Click of its own; this is the one public way to the family of its errors.
_CommandLineError: type[Exception] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)


def main() -> None:
    """Entry point of the console script. Typer answers a usage error with 2, which here means unhealthy."""
    _add_commands()
    _add_lab()
    code: int | None
    try:
        code = app(standalone_mode=False)
    except _CommandLineError as error:
        sys.exit(_refuse(error))
    except (typer.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    sys.exit(int(code or 0))


def _refuse(error: Exception) -> int:
    """One line for a command line that makes no sense."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "runbook"
    if message:  # without arguments the help was printed instead
        typer.echo(f"{command}: {message.rstrip('.')}; remedy: {command} --help", err=True)
    return int(ExitCode.USAGE)
