# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server whose answers a test chooses; and sockets that refuse, or accept and stay silent."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    """Status and body; a body that is no bytes is sent as JSON. ``trickle`` sends a byte every 50 ms."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    trickle: bool = False


Route = Callable[[str, dict[str, str], dict[str, str]], Answer]


@contextmanager
def serve(route: Route, host: str = "127.0.0.1") -> Iterator[str]:
    """Serves ``route(path, query, headers) -> Answer`` and yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            answer = route(parts.path, query, {name.lower(): value for name, value in self.headers.items()})
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response_only(answer.status)  # send_response would add a Date of its own
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                if answer.trickle:
                    for byte in body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(0.05)
                else:
                    self.wfile.write(body)
            except OSError:
                self.close_connection = True

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        listener.listen(50)
        yield listener.getsockname()[1]


@contextmanager
def full_backlog(host: str = "127.0.0.1") -> Iterator[int]:
    """A port whose queue is full, so that connecting itself times out, as with a dead network."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        clients: list[socket.socket] = []
        while len(clients) < 4:
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex((host, port))
            clients.append(client)
        time.sleep(0.05)
        try:
            yield port
        finally:
            for client in clients:
                client.close()


def closed_port(host: str = "127.0.0.1") -> int:
    """A port where nothing listens."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])
