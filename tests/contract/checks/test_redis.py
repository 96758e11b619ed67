# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redis check against a real server, healthy and broken."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.redis import system

from . import http_stub

TOKEN = "hunter2"


def program() -> str:
    beside = Path(sys.executable).parent / "redis-server"
    found = shutil.which("redis-server") or (str(beside) if beside.exists() else None)
    if not found:
        pytest.skip("no redis-server on this machine")
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    port = http_stub.closed_port()
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    configuration = tmp_path / "redis.conf"
    configuration.write_text(
        f"bind 127.0.0.1\nport {port}\ndir {tmp_path}\nsave ''\nrequirepass {TOKEN}\nmaxclients 20\n"
        "maxmemory 64mb\nmaxmemory-policy allkeys-lru\n".replace("''", '""')
    )
    process = subprocess.Popen([program(), str(configuration)], stdout=subprocess.DEVNULL)
    options = {"host": "127.0.0.1", "port": port, "token_file": str(token), "timeout": 0.5}
    deadline = time.monotonic() + 5
    while not system.read(options)["reachable"]:
        assert time.monotonic() < deadline, "redis-server did not start"
        time.sleep(0.02)
    yield process, options
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(5)


def judged(options: dict[str, Any]) -> dict[str, Finding]:
    facts = system.read(options)
    assert json.loads(json.dumps(facts)) == facts
    assert TOKEN not in json.dumps(facts)
    return {finding.id: finding for finding in system.judge(facts, options)}


def test_a_healthy_cache_is_ok_and_its_hit_rate_unknown_without_samples(server: Any) -> None:
    statuses = {name: str(finding.status) for name, finding in judged(server[1]).items()}
    assert statuses == {
        "redis.reachable": "ok",
        "redis.memory": "ok",
        "redis.evictions": "ok",
        "redis.hit_rate": "unknown",
    }


def test_a_frozen_cache_does_not_answer(server: Any) -> None:
    server[0].send_signal(signal.SIGSTOP)
    assert judged(server[1])["redis.reachable"].evidence["kind"] == "no_answer"


def test_a_dead_cache_refuses(server: Any) -> None:
    server[0].terminate()
    server[0].wait(5)
    assert judged(server[1])["redis.reachable"].evidence["kind"] == "refused"


def test_no_token_and_a_wrong_token_are_denied(server: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("other")
    for token in ("", str(wrong)):
        assert judged({**server[1], "token_file": token})["redis.reachable"].evidence["kind"] == "denied"


def test_tls_on_at_one_end_only_is_not_ok(server: Any) -> None:
    assert str(judged({**server[1], "tls": True})["redis.reachable"].status) in ("critical", "unknown")


@pytest.mark.parametrize("body", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_something_that_is_no_redis_is_not_ok(body: bytes) -> None:
    with http_stub.serve(lambda *_: http_stub.Answer(200, body)) as url:
        options = {"host": "127.0.0.1", "port": int(url.rpartition(":")[2]), "timeout": 0.5}
        assert str(judged(options)["redis.reachable"].status) in ("critical", "unknown")


def test_a_missing_token_file_is_named(server: Any) -> None:
    with pytest.raises(ConfigurationError, match="/nowhere: token file is not readable"):
        system.read({**server[1], "token_file": "/nowhere"})
