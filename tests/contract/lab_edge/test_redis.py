# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Redis is a real server with the platform's settings."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest
import redis
from dhakacart_lab import process
from dhakacart_lab.layout import Layout
from dhakacart_lab.redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@pytest.fixture
def server(layout: Layout) -> Iterator[Redis]:
    made = Redis(layout)
    made.up()
    yield made
    made.down()


def client(layout: Layout, password: str | None) -> redis.Redis:
    return redis.Redis(
        host=layout.redis.host,
        port=layout.redis.port,
        password=password,
        socket_timeout=2,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def test_it_has_the_settings_of_the_platform(server: Redis, layout: Layout) -> None:
    wanted = {
        "maxmemory": str(64 * 1024 * 1024),
        "maxmemory-policy": "allkeys-lru",
        "timeout": "300",
        "save": "",
        "appendonly": "no",
    }
    with client(layout, layout.secret("redis-token")) as connection:
        found = {name: connection.config_get(name)[name] for name in wanted}
    assert found == wanted


def test_it_wants_the_token_and_keeps_it_to_itself(server: Redis, layout: Layout) -> None:
    token = layout.secret("redis-token")
    with client(layout, None) as connection, pytest.raises(redis.AuthenticationError):
        connection.ping()
    found = process.find(layout, "redis")
    assert found is not None
    assert token not in " ".join(found.cmdline())
    assert stat.S_IMODE((layout.folder / "redis" / "redis.conf").stat().st_mode) == 0o600


def test_it_can_be_frozen_thawed_and_killed_and_comes_back(server: Redis) -> None:
    server.freeze()
    assert not server.healthy()
    server.thaw()
    assert server.healthy()
    server.kill()
    assert not server.healthy()
    server.up()
    assert server.healthy()


def test_up_mends_a_frozen_server(server: Redis) -> None:
    server.freeze()
    server.up()
    assert server.healthy()


def test_its_process_carries_the_mark_of_the_lab(server: Redis, layout: Layout) -> None:
    found = process.find(layout, "redis")
    assert found in process.all_of(layout.lab_id)
    server.down()
    assert process.find(layout, "redis") is None
