# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of the shop's own: real PostgreSQL, real Redis, real pods; on the loopback network 127.153.0.0/16."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dhakacart_lab import process
from dhakacart_lab.layout import Layout
from dhakacart_lab.postgres.cluster import Cluster
from dhakacart_lab.redis import Redis
from dhakacart_lab.shop import schema
from redis import Redis as RedisClient

SUBNET = 153


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str]
    seconds: float


def call(
    url: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None, timeout: float = 12
) -> Reply:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    begin = time.monotonic()
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        content = response.read()
        found = {name.lower(): value for name, value in response.headers.items()}
    is_json = found.get("content-type", "").startswith("application/json")
    return Reply(response.status, json.loads(content) if is_json else content.decode(), found, time.monotonic() - begin)


@dataclass
class Pod:
    """A backend process with an address of its own; ``log`` is its stdout."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str, **options: Any) -> Reply:
        return call(self.url + path, **options)

    def post(self, path: str, body: Any = None, user: int | None = None, **options: Any) -> Reply:
        headers = {} if user is None else {"x-user-id": str(user)}
        return call(self.url + path, "POST", body, headers, **options)

    def order(self, user: int) -> Reply:
        added = self.post("/api/cart", {"product_id": 7, "quantity": 2}, user)
        return added if added.status != 201 else self.post("/api/cart/orders", None, user)

    def seconds_until_ready_is(self, status: int, within: float) -> float:
        begin = time.monotonic()
        process.wait_for(f"/ready {status}", lambda: self.get("/ready").status == status, timeout=within)
        return time.monotonic() - begin

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def rss_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass
class Servers:
    """The layout of the lab and what runs in it."""

    layout: Layout
    cluster: Cluster
    cache: Redis
    environment: dict[str, str]
    started: list[Pod] = field(default_factory=list)

    def start_pod(self, number: int, *, wait: bool = True, **extra: str) -> Pod:
        host = self.layout.dialled(self.layout.pod_ip(number))
        log = self.layout.folder / f"pod-{number}-{len(self.started)}.log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "dhakacart_lab.shop"],
                env={**process.environment(self.layout), **self.environment, "POD_IP": host, **extra},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        pod = Pod(f"http://{host}:5000", log, child)
        self.started.append(pod)
        if wait:
            process.wait_for(f"pod {number}", lambda: answers(pod.url + "/live"), timeout=10, log=log, interval=0.02)
        return pod

    def redis(self) -> RedisClient:
        address = self.layout.redis
        return RedisClient(address.host, address.port, password=self.layout.secret("redis-token"), socket_timeout=2)

    def database(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self.cluster.connect(user="app", autocommit=True)


def answers(url: str) -> bool:
    try:
        call(url, timeout=1)
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def http() -> Callable[..., Reply]:
    return call


@pytest.fixture(scope="session")
def lab_folder() -> Iterator[Path]:
    """Not under pytest's own folder, into which PostgreSQL's user cannot go."""
    folder = Path(tempfile.mkdtemp(prefix="dhakacart-shop-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def layout(lab_folder: Path) -> Layout:
    layout = Layout(name="t", folder=lab_folder, subnet=SUBNET, lab_id=f"t-shop-{secrets.token_hex(4)}")
    layout.credentials.mkdir(mode=0o700)
    for name in ("db-admin", "db-app", "db-replication", "redis-token", "kube-admin-token"):
        (layout.credentials / name).write_text(secrets.token_urlsafe(16), encoding="utf-8")
        (layout.credentials / name).chmod(0o600)
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    return layout


@pytest.fixture(scope="session")
def servers(layout: Layout) -> Iterator[Servers]:
    cluster, cache = Cluster(layout), Redis(layout)
    try:
        cache.up()
        cluster.up()
        with cluster.connect(user="app", autocommit=False) as connection:
            schema.install(connection)
            schema.seed(connection)
        node, address = cluster.primary().address, layout.redis
        environment = {
            "DB_HOST": node.host,
            "DB_PORT": str(node.port),
            "DB_NAME": layout.database,
            "DB_USER": layout.app_user,
            "DB_PASSWORD": layout.secret("db-app"),
            "REDIS_HOST": address.host,
            "REDIS_PORT": str(address.port),
            "REDIS_PASSWORD": layout.secret("redis-token"),
        }
        running = Servers(layout, cluster, cache, environment)
        yield running
        for pod in running.started:
            pod.process.kill()
            pod.process.wait(timeout=5)
    finally:
        cache.down()
        cluster.destroy()


@pytest.fixture(scope="session")
def pod(servers: Servers) -> Pod:
    """One backend for all tests that leave it as they found it."""
    return servers.start_pod(0)


@pytest.fixture
def frozen_database(servers: Servers) -> Iterator[Cluster]:
    servers.cluster.primary().freeze()
    yield servers.cluster
    servers.cluster.primary().thaw()


@pytest.fixture
def component(layout: Layout) -> Iterator[Callable[..., Any]]:
    """Start a component of the lab as the lab does; it is ended after the test, and must have ended in time."""
    names: list[str] = []

    def start(name: str, module: str, **extra: str) -> Any:
        names.append(name)
        return process.start_python(layout, name, module, extra_env=extra)

    yield start
    for name in names:
        found = process.find(layout, name)
        begin = time.monotonic()
        process.stop(layout, name)
        if found:
            assert time.monotonic() - begin < 1.5, f"{name} did not end on SIGTERM within its second"
