# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between the kubelet and one container, as a container runtime's shim does, so that the container outlives the
kubelet: it writes the container's log with the time of each line, and its exit code.

Run as ``python -I -S shim.py <container folder> <restart>``, the rest as JSON on stdin: {"argv", "env", "cwd"}.
Writes <restart>.json (pids, start), <restart>.log (CRI format) and at the end <restart>.exit. Imports no package.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

LOG_LIMIT = 10 * 1024 * 1024  # bytes, then the log is rotated once, as a kubelet's containerLogMaxSize
LINE_LIMIT = 16 * 1024  # bytes; a longer line is written in parts


def rfc3339(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


def start_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot: with the pid, its identity."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return int(stat.rpartition(")")[2].split()[19])


def write_whole(path: Path, content: object) -> None:
    """Write so that a reader sees all or nothing."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(path)


class Log:
    """The container's output in the form "<time> stdout F <line>"."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._rest = b""

    def write(self, data: bytes, *, last: bool = False) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        stamp = rfc3339(time.time_ns()).encode()
        out = [stamp + b" stdout F " + line + b"\n" for line in lines]
        while len(self._rest) > LINE_LIMIT or (last and self._rest):
            part, self._rest = self._rest[:LINE_LIMIT], self._rest[LINE_LIMIT:]
            out.append(stamp + (b" stdout P " if self._rest else b" stdout F ") + part + b"\n")
        if out:
            self._file.write(b"".join(out))
        if self._file.tell() > LOG_LIMIT:
            self._file.close()
            self._path.replace(self._path.with_suffix(".log.1"))
            self._file = self._path.open("ab", buffering=0)


def main() -> None:
    folder, restart = Path(sys.argv[1]), sys.argv[2]
    spec = json.load(sys.stdin)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    log = Log(folder / f"{restart}.log")
    try:
        child = subprocess.Popen(
            spec["argv"],
            env=spec["env"],
            cwd=spec["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        print(json.dumps({"error": f"exec: {spec['argv'][0]!r}: {error.strerror}"}), flush=True)
        return
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: _signal_group(child.pid, number))
    started = {
        "pid": child.pid,
        "ticks": start_ticks(child.pid),
        "shim_pid": os.getpid(),
        "shim_ticks": start_ticks(os.getpid()),
        "started": rfc3339(time.time_ns()),
    }
    write_whole(folder / f"{restart}.json", started)
    print(json.dumps(started), flush=True)
    os.close(1)
    assert child.stdout is not None
    _copy(child, child.stdout.fileno(), wake_read, log)
    code = child.wait()
    _signal_group(child.pid, signal.SIGKILL)  # what it left behind ends with it, as in a container
    exit_code = 128 - code if code < 0 else code
    write_whole(folder / f"{restart}.exit", {"code": exit_code, "finished": rfc3339(time.time_ns())})


def _copy(child: subprocess.Popen[bytes], pipe: int, wake: int, log: Log) -> None:
    """Copy output to the log until the container's first process has ended and the pipe is empty."""
    os.set_blocking(pipe, False)
    watched = [pipe, wake]
    while True:
        ended = child.poll() is not None
        readable, _, _ = select.select(watched, [], [], 0 if ended else None)
        if wake in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
        if pipe in readable:
            if data := os.read(pipe, 65536):
                log.write(data)
                continue
            watched = [wake]
        if ended:
            log.write(b"", last=True)
            return


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


if __name__ == "__main__":
    main()
