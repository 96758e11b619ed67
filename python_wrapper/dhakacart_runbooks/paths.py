# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this package keeps things on this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import InfrastructureError

STATE_VARIABLE = "DHAKACART_STATE_HOME"


def state_home() -> Path:
    """The folder of the history and the drills' journals: ``DHAKACART_STATE_HOME``, else the XDG state folder.

    It is not made here: whoever writes makes it, and says so in one line when that fails.

    :raises InfrastructureError: none of these is set, and this user has no home folder.
    """
    if chosen := os.environ.get(STATE_VARIABLE):
        return expanded(chosen)
    if base := os.environ.get("XDG_STATE_HOME"):
        return Path(base) / "dhakacart-runbooks"
    try:
        return Path.home() / ".local/state/dhakacart-runbooks"
    except RuntimeError:  # HOME is not set, and the user's number has no name: a container
        raise InfrastructureError("this user has no home folder", remedy=f"set HOME or {STATE_VARIABLE}") from None


def expanded(text: str | Path) -> Path:
    """With the home folder in place of ``~``; where there is no such home it stays, as in a shell."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def private_home() -> Path:
    """Where the short-lived private folders of runs are made: in memory where the machine has that."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of mode 0700 with a random name is made in it
    return memory if memory.is_dir() and os.access(memory, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
