# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for the webhooks of Slack and the pager: ``python -m dhakacart_lab.webhook <lab folder>``.

POST /notify keeps a JSON body as a line of ``notifications.jsonl`` in the lab's folder, whose oldest lines go when it
has grown to 8 MB; GET /notifications gives the latest 100, oldest first. Bodies are kept as they came, so that a test
can look for what must not have been sent.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .layout import LabError, Layout, read_layout

FILE = "notifications.jsonl"
LATEST = 100
LARGEST_BODY = 1024 * 1024
LARGEST_FILE = 8 * LARGEST_BODY
NOT_FOUND = (HTTPStatus.NOT_FOUND, {"error": "only GET /notifications and POST /notify"})


class Notifications:
    """The file of notifications; one line is ``{"received": <epoch seconds>, "body": <JSON>}``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def add(self, body: Any) -> None:
        line = json.dumps({"received": time.time(), "body": body}, ensure_ascii=False)
        with self._lock:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                full = file.tell() > LARGEST_FILE
            if full:
                self._trim()

    def _trim(self) -> None:
        """Keep the last lines, as many as half of the largest file holds; a reader sees the old file or the new one."""
        kept: deque[bytes] = deque()
        size = 0
        for line in reversed(self._path.read_bytes().splitlines(keepends=True)):
            size += len(line)
            if size > LARGEST_FILE // 2:
                break
            kept.appendleft(line)
        draft = self._path.with_suffix(".part")
        draft.write_bytes(b"".join(kept))
        draft.replace(self._path)

    def latest(self) -> list[Any]:
        with self._lock:
            if not self._path.exists():
                return []
            with self._path.open(encoding="utf-8") as file:
                return [json.loads(line) for line in deque(file, LATEST) if line.endswith("\n")]


class Handler(BaseHTTPRequestHandler):
    """One request; ``notifications`` is set by the server's subclass."""

    notifications: Notifications
    timeout = 10  # seconds without a byte from the client
    server_version = "dhakacart-lab-webhook"

    def do_GET(self) -> None:
        if self.path == "/notifications":
            self._answer(HTTPStatus.OK, self.notifications.latest())
        else:
            self._answer(*NOT_FOUND)

    def do_POST(self) -> None:
        self._answer(*self._notify())

    def _notify(self) -> tuple[HTTPStatus, Any]:
        if self.path != "/notify":
            return NOT_FOUND
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            return HTTPStatus.LENGTH_REQUIRED, {"error": "content-length is required"}
        if int(length) > LARGEST_BODY:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"more than {LARGEST_BODY} bytes"}
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            return HTTPStatus.BAD_REQUEST, {"error": "the body is not JSON"}
        self.notifications.add(body)
        return HTTPStatus.OK, {"ok": True}

    def _answer(self, status: HTTPStatus, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serve(layout: Layout) -> None:
    """Answer until SIGTERM."""
    handler = type("LabHandler", (Handler,), {"notifications": Notifications(layout.folder / FILE)})
    with ThreadingHTTPServer((layout.webhook.host, layout.webhook.port), handler) as server:
        # shutdown() waits for serve_forever() and would wait for itself in this thread, which handles the signal.
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever(poll_interval=0.1)


def main() -> int:
    try:
        serve(read_layout(Path(sys.argv[1])))
    except (LabError, OSError) as error:
        print(f"webhook: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
