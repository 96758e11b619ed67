# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain HTTP to an API server: nothing between the test and the bytes that the server sends."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

DEADLINE = 20.0  # seconds a request may take
Query = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Answer:
    """What came back. ``body`` is the decoded JSON, or the text where it is none."""

    code: int
    headers: dict[str, list[str]]
    body: Any


class Wire:
    """One API server and one account of it; the empty token is nobody."""

    def __init__(self, server: str, token: str, tls: ssl.SSLContext | None) -> None:
        self.server, self.token, self._tls = server, token, tls
        self.netloc = urlsplit(server).netloc

    def known_as(self, token: str) -> Wire:
        return Wire(self.server, token, self._tls)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self.netloc, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(self.netloc, timeout=timeout)

    def _ask(
        self, method: str, path: str, query: Query | None, body: Any, headers: Mapping[str, str] | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        sent = {"Accept": "application/json"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        asked = urlencode(dict(query or {}), doseq=True)
        connection = self._connect(DEADLINE)
        connection.request(method, f"{path}?{asked}" if asked else path, data, sent)
        return connection, connection.getresponse()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection, answer = self._ask(method, path, query, body, headers)
        try:
            raw = answer.read()
            found: dict[str, list[str]] = {}
            for name, value in answer.getheaders():
                found.setdefault(name.lower(), []).append(value)
            try:
                decoded = json.loads(raw)
            except ValueError:
                decoded = raw.decode(errors="replace")
            return Answer(answer.status, found, decoded)
        finally:
            connection.close()

    def watch(self, path: str, query: Query, *, headers: Mapping[str, str] | None = None) -> Iterator[Any]:
        """The events of a watch, until the server ends it; a refusal is one item, its Status."""
        connection, answer = self._ask("GET", path, {**query, "watch": "true"}, None, headers)
        try:
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()
