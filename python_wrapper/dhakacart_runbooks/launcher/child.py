# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-runner starts instead of ``ansible-playbook``: the same, in the same process, after four preparations.

It is run as a script, by the wrapper's own interpreter, and imports nothing of this package. The preparations:
variables that must not stand in a file, an argument list or an environment block come through a FIFO; standard input is
empty, so that a question is answered by nobody instead of waiting for ever at the terminal that runner made; that
terminal is wide, so that messages are not broken; and garbage is rarely looked for: Ansible makes little.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

NOT_FOUND = 127
# Objects more than objects less before garbage is looked for: with Python's 700 it costs 0.15 s of a run of 2 s.
RARELY = (20_000, 20, 100)
# The last line of the output: with it the wrapper knows the end 0.1 s before runner, whose pexpect waits for nothing.
EXIT = "dhakacart-runbooks exit"
WIDE = 10000
# Secret -> what is written in its place by the callback plugin, which looks for them here.
TOKENS: dict[str, str] = {}


def take_environment(fifo: str) -> None:
    """The variables that the wrapper put into the FIFO, one JSON object in one line. Nobody can read them again."""
    import json

    with open(fifo, encoding="utf-8") as file:  # noqa: PTH123 - importing pathlib costs 5 ms
        offered = json.loads(file.readline())
    os.unlink(fifo)  # noqa: PTH108
    os.environ.update(offered["environment"])
    TOKENS.update(offered["tokens"])


def prepare_terminal() -> None:
    """No input, and room for a whole message in a line."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if os.isatty(1):
        import fcntl
        import struct
        import termios

        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDE, 0, 0))


def play(arguments: list[str]) -> int:
    """Ansible's exit code; 127 where there is no Ansible, as a shell would say."""
    sys.argv = ["ansible-playbook", *arguments]
    gc.disable()
    try:
        from ansible.cli.playbook import main as ansible_playbook
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"[ERROR]: Python package {missing.name!r} is missing in {sys.prefix}\n")
        return NOT_FOUND
    finally:
        gc.freeze()
        gc.set_threshold(*RARELY)
        gc.enable()
    try:
        return int(ansible_playbook() or 0)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def main() -> None:
    """Ends the process without taking it apart: that takes 0.1 s, and the system does it as well."""
    fifo, *arguments = sys.argv[1:]
    take_environment(fifo)
    prepare_terminal()
    code = play(arguments)
    atexit._run_exitfuncs()
    try:
        sys.stderr.flush()
        sys.stdout.write(f"{EXIT} {os.getpid()} {code}\n")
        sys.stdout.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
