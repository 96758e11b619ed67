# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-runner is told; without importing it, so that a run is being started while it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Seconds between two looks for a cancel or a timeout; output is handed on at once.
LOOK_SECONDS = 0.2
# Runner takes its own timeouts from this file only, also where they are given as arguments.
SETTINGS_FILE = "env/settings"
SETTINGS = {"pexpect_timeout": LOOK_SECONDS, "suppress_ansible_output": True, "suppress_output_file": True}


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    :param folder: the private folder, with ``env/settings`` in it.
    :param fifo: where the child takes the rest of its environment from.
    :param arguments: for ``ansible-playbook``.
    :param environment: all that the child starts with.
    :param cwd: the folder in which a person would have typed it: Ansible's relative paths are relative to it.
    :param python: the interpreter that has Ansible.
    """

    folder: Path
    fifo: Path
    arguments: list[str]
    environment: Mapping[str, str]
    cwd: str
    python: str = sys.executable
