# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that is run in a container for somebody: its process and its ends, independent of who asks and how."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from ..errors import ApiError
from ..kinds import Obj

CHUNK = 32 * 1024  # bytes of output in one message
DRAIN = 1.0  # seconds for output that is left when the command has ended
# What a container runtime answers where the command cannot be started, and the exit codes of a shell for it.
REFUSAL = "OCI runtime exec failed: exec failed: unable to start container process: exec: "
NOT_FOUND, NOT_EXECUTABLE = 127, 126


class Refused(Exception):
    """The command could not be started. ``code``: the exit code that says so."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Execution:
    """One command in a process group of its own, with the container's environment and folder."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, argv: Sequence[str], env: Mapping[str, str], folder: Path, *, stdin: bool) -> Execution:
        """Start it; Refused where it cannot be executed."""
        path = _find(argv[0], env, folder)
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                executable=path,
                env=dict(env),
                cwd=folder,
                stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            text = f'"{argv[0]}": {(error.strerror or str(error)).lower()}: unknown'
            raise Refused(NOT_EXECUTABLE, REFUSAL + text) from None
        return cls(process)

    async def write(self, data: bytes) -> None:
        """Give it input; what it no longer reads is lost."""
        if stdin := self._process.stdin:
            with contextlib.suppress(ConnectionError):
                stdin.write(data)
                await stdin.drain()

    def end_of_input(self) -> None:
        if stdin := self._process.stdin:
            stdin.close()

    async def run(self, stdout: Callable[[bytes], Awaitable[None]], stderr: Callable[[bytes], Awaitable[None]]) -> int:
        """Pass its output on until it ends; its exit code, 128 + number for a signal."""
        assert self._process.stdout and self._process.stderr
        pumps = [
            asyncio.create_task(_pump(self._process.stdout, stdout)),
            asyncio.create_task(_pump(self._process.stderr, stderr)),
        ]
        try:
            code = await self._process.wait()
            self.kill()  # what it left behind would hold its output open
            await asyncio.wait(pumps, timeout=DRAIN)
        finally:
            for pump in pumps:
                pump.cancel()
        return 128 - code if code < 0 else code

    def kill(self) -> None:
        """End it with everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


async def _pump(stream: asyncio.StreamReader, sink: Callable[[bytes], Awaitable[None]]) -> None:
    while data := await stream.read(CHUNK):
        await sink(data)


def _find(command: str, env: Mapping[str, str], folder: Path) -> str:
    """The file to execute, by the container's PATH."""
    if "/" not in command:
        if found := shutil.which(command, path=env.get("PATH", "")):
            return found
        raise Refused(NOT_FOUND, f'{REFUSAL}"{command}": executable file not found in $PATH: unknown')
    path = folder / command
    if not path.exists():
        raise Refused(NOT_FOUND, f'{REFUSAL}"{command}": stat {command}: no such file or directory: unknown')
    if path.is_dir() or not os.access(path, os.X_OK):
        raise Refused(NOT_EXECUTABLE, f'{REFUSAL}"{command}": permission denied: unknown')
    return str(path)


def exit_status(code: int) -> Obj:
    """The Status that tells how the command ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure_status(why: str) -> Obj:
    """The Status where it never came to an exit code."""
    error = ApiError(500, "InternalError", f"Internal error occurred: {why}")
    error.details = {"causes": [{"message": why}]}
    return error.status()
