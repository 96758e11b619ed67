# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses of this machine have a listener, without connecting: PostgreSQL forks a process for every visitor.

Asked several times a second. The kernel's socket diagnosis (sock_diag(7)) answers in 0.1 ms; /proc/net/tcp, which goes
through every connection table, in several ms, and serves only where a container hides the former.
"""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path

from ..layout import Address

LISTEN = 10
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
NLMSG_ERROR, NLMSG_DONE = 2, 3
HEADER = struct.Struct("=IHHII")
DEADLINE = 1.0


def listening() -> frozenset[Address]:
    """Every IPv4 address and port somebody listens at in this network namespace; a frozen server still counts."""
    try:
        return from_sock_diag()
    except OSError:
        return from_proc()


def from_sock_diag() -> frozenset[Address]:
    """By sock_diag; raises OSError where the kernel does not offer it."""
    found: set[Address] = set()
    request = struct.pack("=BBBBI48x", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 1 << LISTEN)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(DEADLINE)
        kernel.send(HEADER.pack(HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, REQUEST_DUMP, 1, 0) + request)
        while True:
            answer = kernel.recv(1 << 16)
            at = 0
            while at < len(answer):
                length, kind, *_ = HEADER.unpack_from(answer, at)
                if kind == NLMSG_DONE:
                    return frozenset(found)
                if kind == NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", answer, at + HEADER.size)[0], "sock_diag")
                port, host = struct.unpack_from("!4xH2x4s", answer, at + HEADER.size)
                found.add(Address(socket.inet_ntoa(host), port))
                at += (length + 3) & ~3


def from_proc() -> frozenset[Address]:
    """By /proc/net/tcp."""
    found = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if int(fields[3], 16) == LISTEN:
            host, port = fields[1].split(":")
            # The kernel prints the address as a number in the machine's byte order.
            packed = int(host, 16).to_bytes(4, sys.byteorder)
            found.add(Address(socket.inet_ntoa(packed), int(port, 16)))
    return frozenset(found)
