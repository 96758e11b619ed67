# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's own HTTP endpoint: container logs and health."""

from __future__ import annotations

import asyncio
import datetime
import hmac
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from ..kinds import parse_time
from .container import Container
from .pod import PodWorker

FOLLOW_PERIOD = 0.25  # seconds between two looks at a log that somebody follows


def _lines(raw: bytes, since: str, *, timestamps: bool) -> list[bytes]:
    """Log lines from the CRI form: "<time> stdout F <text>"; a part of a long line (P) has no line end."""
    found: list[bytes] = []
    open_line = False
    for line in raw.splitlines():
        stamp, _, rest = line.partition(b" ")
        if stamp.decode(errors="replace") < since:
            continue
        _, _, rest = rest.partition(b" ")
        flag, _, text = rest.partition(b" ")
        if open_line:
            found[-1] += text
        else:
            found.append(stamp + b" " + text if timestamps else text)
        open_line = flag == b"P"
        if not open_line:
            found[-1] += b"\n"
    return found


def _since(query: dict[str, str]) -> str:
    """The time from which lines are wanted, in the form of the log, which sorts by time."""
    if seconds := query.get("sinceSeconds"):
        moment = datetime.datetime.fromtimestamp(time.time() - int(seconds), datetime.UTC)
    elif text := query.get("sinceTime"):
        moment = parse_time(text).astimezone(datetime.UTC)
    else:
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


class Endpoint:
    """Serves /containerLogs/{namespace}/{pod}/{container} and /healthz to those who know the token."""

    def __init__(self, workers: Callable[[], list[PodWorker]], token: str) -> None:
        self._workers = workers
        self._token = token

    def build(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    def _container(self, namespace: str, pod: str, name: str) -> Container | None:
        for worker in self._workers():
            meta = worker.pod["metadata"]
            if (meta["namespace"], meta["name"]) == (namespace, pod):
                return next((c for c in [*worker.containers, *worker.init] if c.name == name), None)
        return None

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return web.Response(status=401, text="Unauthorized")
        pod, name = request.match_info["pod"], request.match_info["container"]
        container = self._container(request.match_info["namespace"], pod, name)
        if container is None:
            return web.Response(status=404, text=f'pod "{pod}" not found on this node')
        query = dict(request.query)
        previous = query.get("previous") in ("true", "1")
        path = container.log_file(previous=previous)
        if path is None or (previous and not path.exists()):
            if previous:
                text = f'previous terminated container "{name}" in pod "{pod}" not found'
            else:
                reason = container.state.get("waiting", {}).get("reason", "ContainerCreating")
                if "Image" in reason:
                    reason = "trying and failing to pull image"
                text = f'container "{name}" in pod "{pod}" is waiting to start: {reason}'
            return web.Response(status=400, text=text)
        try:
            since, tail = _since(query), int(query.get("tailLines", -1))
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        timestamps = query.get("timestamps") in ("true", "1")
        raw = path.read_bytes() if path.exists() else b""
        lines = _lines(raw, since, timestamps=timestamps)
        if tail >= 0:
            lines = lines[-tail:] if tail else []
        body = b"".join(lines)
        if (limit := query.get("limitBytes")) and limit.isdigit():
            body = body[: int(limit)]
        if query.get("follow") not in ("true", "1"):
            return web.Response(body=body, content_type="text/plain")
        return await self._follow(request, container, path, body, len(raw), timestamps=timestamps)

    @staticmethod
    async def _follow(
        request: web.Request, container: Container, path: Path, body: bytes, offset: int, *, timestamps: bool
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(body)
        process = container.process
        while True:
            running = process is not None and process.running
            with path.open("rb") as log:
                log.seek(offset)
                raw = log.read()
            whole = raw[: raw.rfind(b"\n") + 1]
            offset += len(whole)
            if whole:
                await response.write(b"".join(_lines(whole, "", timestamps=timestamps)))
            if not running:
                break
            await asyncio.sleep(FOLLOW_PERIOD)
        await response.write_eof()
        return response
