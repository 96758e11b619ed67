# SPDX-License-Identifier: GPL-3.0-or-later
"""A running edge in front of echo servers that stand where the database nodes would."""

from __future__ import annotations

import json
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_lab import edge, process
from dhakacart_lab.layout import Address, Layout

SUBNET = int(os.environ.get("DHAKACART_TEST_SUBNET", "152"))


class Echo(socketserver.BaseRequestHandler):
    """Answers each message with the node's name and the message."""

    def handle(self) -> None:
        assert isinstance(self.server, Upstream)
        sock: socket.socket = self.request
        while data := sock.recv(1024):
            sock.sendall(self.server.name.encode() + b":" + data)


class Upstream(socketserver.ThreadingTCPServer):
    """A node: listens where PostgreSQL would."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        super().__init__((address.host, address.port), Echo)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture(scope="package")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    folder = tmp_path_factory.mktemp("lab")
    made = Layout(name="t", folder=folder, subnet=SUBNET, lab_id=f"t-{secrets.token_hex(4)}")
    made.lab_file.write_text(json.dumps(made.describe()), encoding="utf-8")
    made.credentials.mkdir(mode=0o700)
    token = made.credentials / "redis-token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    yield made
    left = process.all_of(made.lab_id)
    process.end(left, timeout=5)
    assert not left


@pytest.fixture
def nodes(layout: Layout) -> Iterator[dict[str, Upstream]]:
    made = {name: Upstream(name, layout.nodes[name]) for name in ("a", "b")}
    yield made
    for upstream in made.values():
        upstream.stop()


@pytest.fixture
def running_edge(layout: Layout, nodes: dict[str, Upstream]) -> Iterator[Layout]:
    start_edge(layout)
    yield layout
    process.stop(layout, edge.COMPONENT)
    Path(layout.folder / "edge.json").unlink(missing_ok=True)


def start_edge(layout: Layout) -> None:
    process.start_python(layout, edge.COMPONENT, edge.MODULE)
    process.wait_for("the edge", lambda: edge.ready(layout), timeout=10, log=layout.logs / "edge.log")
