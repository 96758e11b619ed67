# SPDX-License-Identifier: BSD-2-Clause
"""Opens TCP connections under a deadline, and says what kind of failure it was."""

from __future__ import annotations

import errno
import socket
import threading
import time
from dataclasses import dataclass

from .core.errors import NoRoute, ReadError, Refused


@dataclass(frozen=True)
class Reached:
    """A TCP connection that worked: the numeric address it went to, and how long it took."""

    address: str
    seconds: float


def resolve(host: str, port: int, timeout: float) -> list[str]:
    """The numeric addresses of ``host``, in the resolver's order.

    The resolver of the C library has no deadline, so it runs in a thread that is left behind when it hangs.

    :raises NoRoute: the name does not resolve, or not in time.
    """
    answer: list[str] = []
    problem: list[str] = []

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            problem.append(str(error))
        else:
            answer.extend(dict.fromkeys(str(entry[4][0]) for entry in found))

    thread = threading.Thread(target=look_up, daemon=True, name=f"resolve {host}")
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise NoRoute(f"name lookup took over {timeout:g} s", where=host, remedy="check the resolver of this machine")
    if problem or not answer:
        reason = problem[0] if problem else "no address"
        raise NoRoute(f"name does not resolve ({reason})", where=host, remedy="check the name and the DNS zone")
    return answer


def connect(host: str, port: int, timeout: float) -> tuple[socket.socket, Reached]:
    """A connected TCP socket, with ``timeout`` seconds for name lookup and all addresses together.

    :raises Refused: the last address answered that nothing listens there.
    :raises NoRoute: no address answered in time, or none could be routed to.
    """
    started = time.monotonic()
    last: ReadError | None = None
    for address in resolve(host, port, timeout):
        remaining = timeout - (time.monotonic() - started)
        if remaining <= 0:
            break
        try:
            opened = socket.create_connection((address, port), timeout=remaining)
        except OSError as error:
            last = connect_error(error, f"{host}:{port}", timeout)
        else:
            return opened, Reached(address, round(time.monotonic() - started, 4))
    raise last or NoRoute(f"no connection in {timeout:g} s", where=f"{host}:{port}", remedy="check the network path")


def probe(host: str, port: int, timeout: float) -> Reached:
    """Connects and hangs up; raises as :func:`connect`."""
    opened, reached = connect(host, port, timeout)
    opened.close()
    return reached


def connect_error(error: OSError, where: str, timeout: float) -> ReadError:
    """The error of a failed TCP connect in the words of this collection."""
    if isinstance(error, ConnectionRefusedError | ConnectionResetError):
        return Refused("nothing listens there (connection refused)", where=where, remedy="is the server running?")
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return NoRoute(f"no TCP connection in {timeout:g} s", where=where, remedy="check firewall, route and host")
    return NoRoute(error.strerror or str(error), where=where, remedy="check firewall, route and host")
