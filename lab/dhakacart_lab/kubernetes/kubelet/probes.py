# SPDX-License-Identifier: GPL-3.0-or-later
"""Startup, liveness and readiness probes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ..kinds import Obj

USER_AGENT = "kube-probe/1.28"
OUTPUT_LIMIT = 512  # characters of a failed command's output that go into the event


@dataclass(frozen=True)
class Target:
    """What a probe is aimed at."""

    session: aiohttp.ClientSession
    pod_ip: str
    container: Obj
    env: Mapping[str, str]
    folder: Path


def _port(container: Obj, port: int | str) -> int:
    if isinstance(port, int) or port.isdigit():
        return int(port)
    for declared in container.get("ports") or []:
        if declared.get("name") == port:
            return int(declared["containerPort"])
    raise ValueError(f"couldn't find port: {port}")


async def _http(target: Target, spec: Obj, timeout: float) -> str | None:
    url = f"{spec.get('scheme', 'HTTP').lower()}://{spec.get('host') or target.pod_ip}:"
    url += f"{_port(target.container, spec['port'])}/{spec.get('path', '/').lstrip('/')}"
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    headers |= {header["name"]: header["value"] for header in spec.get("httpHeaders") or []}
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        async with target.session.get(url, headers=headers, timeout=limit, allow_redirects=False, ssl=False) as answer:
            if 200 <= answer.status < 400:
                return None
            return f"HTTP probe failed with statuscode: {answer.status}"
    except TimeoutError:
        return f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    except aiohttp.ClientConnectorError as error:
        why = (error.os_error.strerror or str(error.os_error)).lower()
        why = "connection refused" if "refused" in why or "connect call failed" in why else why
        return f'Get "{url}": dial tcp {target.pod_ip}:{_port(target.container, spec["port"])}: connect: {why}'
    except (aiohttp.ClientError, OSError) as error:
        return f'Get "{url}": {str(error) or type(error).__name__}'


async def _tcp(target: Target, spec: Obj, timeout: float) -> str | None:
    host, port = spec.get("host") or target.pod_ip, _port(target.container, spec["port"])
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
        return None
    except TimeoutError:
        return f"dial tcp {host}:{port}: i/o timeout"
    except OSError as error:
        why = "connection refused" if isinstance(error, ConnectionRefusedError) else error.strerror
        return f"dial tcp {host}:{port}: connect: {why}"


async def _exec(target: Target, spec: Obj, timeout: float) -> str | None:
    def run() -> str | None:
        child = subprocess.Popen(
            spec["command"],
            env=dict(target.env),
            cwd=target.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _ = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return f'command "{" ".join(spec["command"])}" timed out'
        return output.decode(errors="replace").strip()[:OUTPUT_LIMIT] if child.returncode else None

    try:
        return await asyncio.to_thread(run)
    except OSError as error:
        return f"exec: {error.strerror}"


async def run_once(target: Target, probe: Obj) -> str | None:
    """Probe once; None where it succeeded, else what went wrong in the kubelet's words."""
    timeout = float(probe.get("timeoutSeconds", 1))
    try:
        if "httpGet" in probe:
            return await _http(target, probe["httpGet"], timeout)
        if "tcpSocket" in probe:
            return await _tcp(target, probe["tcpSocket"], timeout)
        if "exec" in probe:
            return await _exec(target, probe["exec"], timeout)
    except ValueError as error:
        return str(error)
    return "the lab's kubelet knows no such probe"


async def loop(
    target: Target,
    probe: Obj,
    started_at: float,
    failed: Callable[[str], None],
    crossed: Callable[[bool], Awaitable[None]],
) -> None:
    """Probe until cancelled. ``failed`` hears each failure; ``crossed`` each time a threshold is reached.

    ``started_at``: when the container started, on the event loop's clock.
    """
    clock = asyncio.get_running_loop()
    delay = started_at + probe.get("initialDelaySeconds", 0) - clock.time()
    await asyncio.sleep(max(0.0, delay))
    period, run, last = float(probe.get("periodSeconds", 10)), 0, None
    while True:
        due = clock.time() + period
        problem = await run_once(target, probe)
        healthy = problem is None
        if problem is not None:
            failed(problem)
        run = run + 1 if healthy == last else 1
        last = healthy
        if run == int(probe.get("successThreshold" if healthy else "failureThreshold", 1 if healthy else 3)):
            await crossed(healthy)
        await asyncio.sleep(max(0.0, due - clock.time()))
