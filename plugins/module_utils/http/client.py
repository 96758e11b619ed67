# SPDX-License-Identifier: BSD-2-Clause
"""One GET request under one deadline for name lookup, connection, TLS and the whole answer."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .. import reach
from ..core.errors import ConfigurationError, NoAnswer, ReadError, Refused, Unexpected
from .arguments import Settings

MAX_BYTES = 256 * 1024


@dataclass(frozen=True)
class Response:
    """Status, body (cut at 256 KiB), content type, and the seconds from start to end."""

    status: int
    body: bytes
    content_type: str
    seconds: float


def get(settings: Settings, path: str) -> Response:
    """The answer at ``path`` of the shop; redirects are answers.

    :raises ConfigurationError: the base URL or the CA file is malformed.
    :raises ReadError: no answer; ``kind`` says why.
    """
    base = _base(settings.url)
    where = f"{settings.url.rstrip('/')}{path}"
    started = time.monotonic()
    deadline = started + settings.timeout
    host = base.hostname or ""
    port = base.port or (443 if base.scheme == "https" else 80)
    opened = reach.connect(host, port, settings.timeout)[0]
    try:
        if base.scheme == "https":
            opened.settimeout(_remaining(deadline))
            opened = _context(settings).wrap_socket(opened, server_hostname=host)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = opened
        opened.settimeout(_remaining(deadline))
        connection.request(
            "GET",
            f"{base.path.rstrip('/')}{path}",
            headers={"Accept": "application/json", "User-Agent": "dhakacart-runbooks", "Connection": "close"},
        )
        response = connection.getresponse()
        body = _body(response, opened, deadline)
        content_type = response.getheader("Content-Type") or ""
        return Response(response.status, body, content_type, round(time.monotonic() - started, 4))
    except ssl.SSLError as error:
        reason = f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}"
        raise Unexpected(reason, where=where, remedy="check the certificate and its date") from error
    except TimeoutError as error:
        raise NoAnswer(
            f"no answer in {settings.timeout:g} s", where=where, remedy="it hangs: look behind it"
        ) from error
    except OSError as error:
        raise _cut(error, where) from error
    except http.client.HTTPException as error:
        if isinstance(error, http.client.RemoteDisconnected):
            raise _cut(error, where) from error
        raise Unexpected(f"not HTTP ({type(error).__name__})", where=where, remedy="is this the shop?") from error
    finally:
        opened.close()


def _cut(error: Exception, where: str) -> ReadError:
    return Refused(f"hung up without an answer ({type(error).__name__})", where=where, remedy="is the backend running?")


def _body(response: http.client.HTTPResponse, opened: socket.socket, deadline: float) -> bytes:
    chunks, size = [], 0
    while size < MAX_BYTES:
        opened.settimeout(_remaining(deadline))
        chunk = response.read1(64 * 1024)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)[:MAX_BYTES]


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining


def _base(url: str) -> SplitResult:
    try:
        base = urlsplit(url)
        valid = base.scheme in ("http", "https") and bool(base.hostname) and (base.port is None or base.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(f"{url!r} is no http or https URL", where="http.url", remedy="set dhakacart_shop_url")
    return base


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"CA file is not usable: {error}", where=settings.ca_file, remedy="give a PEM file of certificates"
        ) from error
    if not settings.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
