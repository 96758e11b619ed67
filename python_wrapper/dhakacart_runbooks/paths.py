# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this package keeps things on this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

STATE_VARIABLE = "DHAKACART_STATE_HOME"


def state_home() -> Path:
    """The folder of the history and the drills' journals: ``DHAKACART_STATE_HOME``, else the XDG state folder.

    It is not made here: whoever writes makes it, and says so in one line when that fails.
    """
    if chosen := os.environ.get(STATE_VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "dhakacart-runbooks"


def private_home() -> Path:
    """Where the short-lived private folders of runs are made: in memory where the machine has that."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of mode 0700 with a random name is made in it
    return memory if memory.is_dir() and os.access(memory, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
