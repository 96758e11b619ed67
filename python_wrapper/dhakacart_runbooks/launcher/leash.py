# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard process beside a run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from ..errors import InfrastructureError
from . import guard

PROGRAM = Path(guard.__file__)
PATIENCE_SECONDS = 5


class Leash:
    """Started before Ansible: from then on no end of this process leaves a process of the run or its folder."""

    def __init__(self, run_id: str, folder: Path) -> None:
        reader, self._writer = os.pipe()  # neither end is inherited by what is started later
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(PROGRAM), run_id, str(folder), str(os.getpid())],
                stdin=reader,
                stdout=subprocess.DEVNULL,  # not ours: who reads our output would wait for its end
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._writer)
            raise InfrastructureError(
                f"a process cannot be started ({error.strerror})", where=sys.executable, remedy="see ulimit -u"
            ) from None
        finally:
            os.close(reader)

    def release(self) -> None:
        """The run ended and was cleared away: the guard is not needed any more."""
        with contextlib.suppress(OSError):  # it was killed
            os.write(self._writer, guard.RELEASED)
        os.close(self._writer)
        try:
            self._guard.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
