# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends what a run left behind; called by the wrapper, and run as a process of its own for when the wrapper is killed.

Ansible's workers are leaders of sessions of their own: killing the process group of ``ansible-playbook`` leaves them,
their modules and what those started (ansible-runner#973). What belongs to a run is told by the marker that every
process of it has in its environment. As a process (``python -I -S guard.py <run id> <private folder> <wrapper's pid>``)
it waits until the wrapper is gone; it has no marker itself, a session of its own, and starts in 10 ms.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

MARKER = "DHAKACART_RUN_ID"
RELEASED = b"r"
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.005
# A process may start another one and end between the list and the look at it; three times in a row it will not.
CLEAN_PASSES = 3
SEEN = os.path.isdir("/proc/self")  # noqa: PTH112 - importing pathlib costs 5 ms


def marked(run_id: str) -> list[int]:
    """Ids of the processes of a run, as far as they may be read, without this one. A zombie has no environment."""
    found = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - importing pathlib costs 5 ms
    # The youngest first: it may be gone soon, and what it starts is not in this list.
    return [int(name) for name in sorted(found, key=int, reverse=True) if _is_marked(name, run_id)]


def _is_marked(pid: str, run_id: str) -> bool:
    if int(pid) == os.getpid():
        return False
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
            return f"{MARKER}={run_id}".encode() in file.read().split(b"\0")
    except OSError:  # gone, or somebody else's
        return False


def _kill(pid: int, run_id: str) -> None:
    """SIGKILL, but not to a process that got the id of one that has just ended."""
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        if _is_marked(str(pid), run_id):
            os.kill(pid, signal.SIGKILL)
        return
    try:
        if _is_marked(str(pid), run_id):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def reap(run_id: str, patience: float = PATIENCE_SECONDS) -> list[int]:
    """End every process of a run.

    :param patience: seconds after which it is given up.
    :returns: ids of those that are left; usually none. None is found where there is no ``/proc``: see ``SEEN``.
    """
    if not SEEN:
        return []
    deadline = time.monotonic() + patience
    clean = 0
    while True:
        left = marked(run_id)
        clean = 0 if left else clean + 1
        if clean >= CLEAN_PASSES or time.monotonic() > deadline:
            return left
        for pid in left:
            try:
                _kill(pid, run_id)
            except OSError:
                continue
        time.sleep(PAUSE_SECONDS)


def wait_until_gone(pid: int, patience: float) -> None:
    """Waits for the end of a process that has announced it."""
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):  # gone already, or nothing to wait with
        return
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(patience * 1000)
    os.close(handle)


def remove(folder: str) -> None:
    """Remove a private folder, also while something is still being written into it."""
    import shutil

    for _attempt in range(5):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(PAUSE_SECONDS)


def wait_for_end(wrapper: int) -> bool:
    """Waits until the wrapper releases this process (True) or is gone (False)."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    # The pipe alone does not tell: a process that the wrapper forked may hold its other end.
    try:  # noqa: SIM105 - contextlib is an import more
        poll.register(os.pidfd_open(wrapper), select.POLLIN)
    except (AttributeError, OSError):
        pass
    while os.getppid() == wrapper:
        if any(descriptor == 0 for descriptor, _event in poll.poll(1000)):
            return os.read(0, 1) == RELEASED
    return False


def main() -> None:
    """Until the wrapper is gone or has ended the run itself."""
    run_id, folder, wrapper = sys.argv[1:]
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.chdir("/")
    if not wait_for_end(int(wrapper)):
        reap(run_id)
        remove(folder)
    os._exit(0)


if __name__ == "__main__":
    main()
