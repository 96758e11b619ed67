# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-runner is told; without importing it, so that a run is being started while it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..catalogue import Section
    from ..launcher_api import Observer
    from ..request import RunRequest
    from .redacting import Redacts

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


@dataclass(frozen=True)
class Ended:
    """How Ansible's process ended.

    :param rc: its exit code; None where it was killed or never ran.
    :param ended_by: ``cancelled`` or ``timeout`` where we ended it.
    :param error: why ansible-runner gave up.
    :param survivors: ids of processes that could not be ended.
    """

    rc: int | None
    ended_by: str = ""
    error: str = ""
    survivors: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether Ansible came to its own end."""
        return self.rc is not None and not self.ended_by and not self.error


@dataclass(frozen=True)
class Job:
    """A run, as far as it is known before it begins.

    :param started: epoch seconds.
    :param sections: of its runbook.
    :param clean: takes out what must not be seen in any event.
    """

    run_id: str
    request: RunRequest
    started: float
    sections: tuple[Section, ...]
    clean: Redacts
    observers: Sequence[Observer]
