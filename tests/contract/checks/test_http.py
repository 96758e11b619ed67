# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP check against real sockets: good, refusing, silent, trickling, absurd."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.http import system

from .http_stub import Answer, closed_port, full_backlog, serve, silent

SHOP = {
    "/ready": Answer(200, {"status": "ready", "checks": {"database": "connected", "shutdown": False}}),
    "/live": Answer(200, {"status": "alive"}),
    "/health": Answer(200, {"status": "healthy", "checks": {"redis": {"status": "healthy", "responseTime": "3ms"}}}),
    "/api/products": Answer(200, [{"id": 1, "name": "tea"}]),
}


def judged(url: str, **options: Any) -> dict[str, Finding]:
    params = {"url": url, "timeout": 0.5, **options}
    facts = system.read(params)
    assert json.loads(json.dumps(facts)) == facts
    return {finding.id: finding for finding in system.judge(facts, params)}


def test_a_healthy_shop_is_ok() -> None:
    with serve(lambda path, *_: SHOP[path]) as url:
        assert {str(finding.status) for finding in judged(url).values()} == {"ok"}


def test_a_shop_that_is_not_ready_says_why_without_secrets() -> None:
    body = {"status": "not_ready", "reason": "database", "error": "password=hunter2 timeout expired"}
    with serve(lambda path, *_: Answer(503, body) if path == "/ready" else SHOP[path]) as url:
        finding = judged(url)["http.ready"]
    assert str(finding.status) == "critical"
    assert "timeout expired" in finding.summary
    assert "hunter2" not in json.dumps(finding.to_result())


def test_a_rate_limit_is_unknown() -> None:
    with serve(lambda path, *_: Answer(429, {}) if path == "/health" else SHOP[path]) as url:
        assert str(judged(url)["http.health"].status) == "unknown"


@pytest.mark.parametrize("body", [b"", b"healthy", b"\xff\x00", b"[[[[", b"null", b'"text"'])
def test_an_absurd_answer_is_not_ready(body: bytes) -> None:
    with serve(lambda *_: Answer(200, body)) as url:
        findings = judged(url)
    assert str(findings["http.products"].status) == "unknown"
    if body not in (b"null", b'"text"'):
        assert str(findings["http.ready"].status) == "unknown"


def test_a_redirect_is_an_answer_and_no_success() -> None:
    with serve(lambda *_: Answer(302, {}, {"Location": "http://elsewhere.example"})) as url:
        assert str(judged(url)["http.ready"].status) == "critical"


def test_nobody_listening_is_refused() -> None:
    assert judged(f"http://127.0.0.1:{closed_port()}")["http.ready"].evidence["kind"] == "refused"


def test_silence_ends_at_the_deadline() -> None:
    with silent() as port:
        started = time.monotonic()
        finding = judged(f"http://127.0.0.1:{port}")["http.ready"]
    assert time.monotonic() - started < 1.2
    assert finding.evidence["kind"] == "no_answer"


def test_an_answer_that_trickles_ends_at_the_deadline_too() -> None:
    with serve(lambda *_: Answer(200, b" " * 200, trickle=True)) as url:
        started = time.monotonic()
        finding = judged(url)["http.ready"]
    assert time.monotonic() - started < 1.2
    assert finding.evidence["kind"] == "no_answer"


def test_a_network_that_swallows_packets_is_unknown() -> None:
    with full_backlog() as port:
        finding = judged(f"http://127.0.0.1:{port}")["http.ready"]
    assert (finding.evidence["kind"], str(finding.status)) == ("no_route", "unknown")


def test_plain_http_behind_an_https_url_is_not_ok() -> None:
    with serve(lambda path, *_: SHOP[path]) as url:
        assert judged(url.replace("http:", "https:"))["http.ready"].evidence["kind"] in ("unexpected", "refused")


@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example", "http://", "http://[", "http://shop:port/"])
def test_a_malformed_url_is_named(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is no http or https URL"):
        system.read({"url": url})
