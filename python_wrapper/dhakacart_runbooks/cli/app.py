# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``runbook`` command, put together."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ExitCode, RunbookError

app = typer.Typer(
    help="Run, rehearse and prove DhakaCart's runbooks.\n\n"
    "Exit codes: 0 healthy, 1 usage, 2 failed or unhealthy, 3 interrupted, 4 infrastructure.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if not asked:
        return
    from importlib import metadata

    from ..collection import Collection

    typer.echo(f"runbook {metadata.version('dhakacart-runbooks')}")
    try:
        found = Collection.find()
        typer.echo(f"collection {found.version} in {found.root}")
    except RunbookError as error:
        typer.echo(str(error))
    raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the versions of this command and its collection.", callback=_version)
    ] = False,
) -> None:
    """Options of the command itself."""


TRACEBACK = "DHAKACART_TRACEBACK"
# What writes a file says in its own words what went wrong; what is left is the output.
UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
# In the order of the help. Each has a function ``add(app)`` and imports what is heavy only when it is called.
COMMANDS = ("list_", "show", "search", "triage", "run", "doctor", "drill", "report", "history")


def _add_commands() -> None:
    for name in COMMANDS:
        importlib.import_module(f".{name}", __package__).add(app)


def _add_lab() -> None:
    try:
        from dhakacart_lab.cli import app as lab
    except ModuleNotFoundError as missing:  # the lab's packages are an extra
        name = missing.name

        anything = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

        @app.command(name="lab", context_settings=anything)
        def without_lab() -> None:
            """The local DhakaCart (not installed here)."""
            remedy = "make setup, or: pip install 'dhakacart-runbooks[lab]'"
            typer.echo(f"runbook lab: Python package {name!r} is missing; remedy: {remedy}", err=True)
            raise typer.Exit(int(ExitCode.INFRASTRUCTURE))

    else:
        app.add_typer(lab, name="lab")


# Typer carries a Click of its own; this is the one public way to the family of its errors.
_CommandLineError: type[Exception] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)


def main() -> None:
    """Entry point of the console script. Typer answers a usage error with 2, which here means unhealthy."""
    terminal = sys.stdout
    try:
        code = _answer()
        sys.stdout.flush()
    except SystemExit as left:
        # Typer answers a broken pipe so, and puts something in place of the output.
        gone = sys.stdout is not terminal
        code = ExitCode.INTERRUPTED if gone else int(left.code or 0)
    except BrokenPipeError:  # whoever read along has gone: there is nobody to tell
        code = ExitCode.INTERRUPTED
        _drop_output()
    except OSError as error:
        code = ExitCode.INFRASTRUCTURE
        _drop_output()
        if error.filename is None and error.errno in UNWRITTEN:
            _say(f"standard output: cannot be written ({error.strerror})", "make room, or write it to another place")
        else:
            _say(_told(error), "look at that file or place")
    except Exception as error:
        if os.environ.get(TRACEBACK):
            import traceback

            traceback.print_exc()
        code = ExitCode.INFRASTRUCTURE
        _say(f"a mistake of this program ({_told(error)})", f"tell the platform team; {TRACEBACK}=1 shows where it is")
    sys.exit(int(code))


def _answer() -> int:
    _add_commands()
    _add_lab()
    try:
        return int(app(standalone_mode=False) or 0)
    except _CommandLineError as error:
        return _refuse(error)
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED


def _drop_output() -> None:
    """Forget what standard output did not take: Python would try it again at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(error: Exception) -> str:
    """In one line, with the place in this package where it happened."""
    place, trace = "", error.__traceback__
    while trace:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(Path(__file__).parents[1]):
            place = f", {path.name} line {trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def _say(what: str, remedy: str) -> None:
    typer.echo(f"runbook: {what}; remedy: {remedy}", err=True)


def _refuse(error: Exception) -> int:
    """One line for a command line that makes no sense."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "runbook"
    if message:  # without arguments the help was printed instead
        typer.echo(f"{command}: {message.rstrip('.')}; remedy: {command} --help", err=True)
    return int(ExitCode.USAGE)
