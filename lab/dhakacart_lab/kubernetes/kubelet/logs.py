# SPDX-License-Identifier: GPL-3.0-or-later
"""``/containerLogs/{namespace}/{pod}/{container}``: a container's log, whole, in part or followed."""

from __future__ import annotations

import asyncio
import datetime
import time
from pathlib import Path

from aiohttp import web

from ..kinds import parse_time
from .container import Container

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


async def serve(request: web.Request, container: Container) -> web.StreamResponse:
    """The log as the query asks for it; 400 where the container has none yet."""
    pod, name = request.match_info["pod"], container.name
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
    return await _follow(request, container, path, body, len(raw), timestamps=timestamps)


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
