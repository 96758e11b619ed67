# SPDX-License-Identifier: GPL-3.0-or-later
"""The launcher: from a request to a run."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..paths import private_home
from . import command
from .environment import hand_over
from .folder import PrivateFolder, sweep
from .handle import Run
from .leash import Leash
from .plan import SETTINGS, SETTINGS_FILE, Job, Plan
from .redacting import redactor
from .signals import CancelledBySignals

if TYPE_CHECKING:
    from ..catalogue import Catalogue
    from ..launcher_api import Observer
    from ..outcome import RunOutcome
    from ..request import RunRequest


class RunnerLauncher:
    """Runs requests with ansible-runner on this machine.

    :param catalogue: what can be run.
    :param observers: told about every run.
    :param environment: names of further environment variables that Ansible gets, e.g. one that an inventory looks up.
    :param python: the interpreter that has Ansible; the one of this process.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        observers: Sequence[Observer] = (),
        *,
        environment: Collection[str] = (),
        python: str = sys.executable,
    ) -> None:
        self._catalogue, self._observers = catalogue, tuple(observers)
        self._environment, self._python = frozenset(environment), python

    def start(self, request: RunRequest) -> Run:
        """See ``launcher_api.Launcher``."""
        self._catalogue.validate(request)
        run_id, home = str(uuid.uuid4()), private_home()
        sweep(home)
        folder = PrivateFolder(home, run_id)
        leash = Leash(run_id, folder.path)
        try:
            return self._start(request, run_id, folder, leash)
        except BaseException:
            folder.remove()
            leash.release()
            raise

    def _start(self, request: RunRequest, run_id: str, folder: PrivateFolder, leash: Leash) -> Run:
        folder.make()
        collection = self._catalogue.collection
        settings = command.settings(collection, run_id, folder.path, os.environ)
        settings["PATH"] = f"{Path(self._python).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        handed = hand_over(os.environ, settings, self._environment)
        variables = folder.write("variables.json", command.extra_variables(request, run_id))
        arguments = command.arguments(request, self._catalogue, variables)
        folder.write(command.EMPTY_CONFIGURATION, None)
        folder.write(SETTINGS_FILE, SETTINGS)
        clean = redactor(handed.secrets)
        tokens = {secret: clean.text(secret) for secret in handed.secrets}
        fifo = folder.offer("environment", handed.private, tokens)
        plan = Plan(folder.path, fifo, arguments, handed.plain, _current_folder(), self._python)
        sections = self._catalogue.get(request.runbook).sections
        job = Job(run_id, request, time.time(), sections, clean, self._observers)
        return Run(job, plan, folder, leash).start()

    def run(self, request: RunRequest) -> RunOutcome:
        """See ``launcher_api.Launcher``. SIGTERM and SIGHUP cancel as Ctrl-C does."""
        with CancelledBySignals() as signals:
            return signals.attach(self.start(request)).wait()

    async def arun(self, request: RunRequest) -> RunOutcome:
        """See ``launcher_api.Launcher``."""
        import asyncio

        async with await asyncio.to_thread(self.start, request) as run:
            return await run.finished()


def _current_folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # it was removed
        return "/"
