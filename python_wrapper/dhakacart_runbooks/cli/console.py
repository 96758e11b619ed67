# SPDX-License-Identifier: GPL-3.0-or-later
"""What every sub-command shares: where it prints, and how it fails. Rich honours NO_COLOR and pipes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from ..errors import ExitCode, RunbookError

WIDE = 200
for _name in ("stdout", "stderr"):
    if getattr(sys, _name) is None:  # closed by whoever started this: what is printed is lost, the exit code is not
        setattr(sys, _name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - to the end


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Rich ends the program with 1, which means something else here."""
        raise BrokenPipeError


# Without a width of its own a pipe gets lines broken at 80 columns.
out = _Output(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = _Output(stderr=True, highlight=False, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
# A finding's status in colour; the word stands beside it, so colour carries no meaning alone.
STYLES = {"ok": "green", "unknown": "cyan", "warning": "yellow", "critical": "bold red"}


@contextmanager
def one_line_errors(command: str) -> Iterator[None]:
    """A RunbookError becomes one line on standard error and its exit code; Ctrl-C becomes 3."""
    try:
        yield
    except RunbookError as error:
        err.print(f"runbook {command}: {error}", style="red", markup=False)
        raise typer.Exit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        err.print(f"runbook {command}: interrupted", style="red")
        raise typer.Exit(int(ExitCode.INTERRUPTED)) from None


def print_json(content: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(content, indent=1) + "\n")


def print_json_line(content: Any) -> None:
    """One line of JSON, at once, for those who read along."""
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()
