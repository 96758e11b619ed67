# SPDX-License-Identifier: GPL-3.0-or-later
"""boto3 inside the AWS process: requests go straight into the WSGI application, before any port is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import MockRawResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from . import clients

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class InProcess:
    """Clients, one a service and region, of a WSGI application that speaks AWS."""

    def __init__(self, application: WSGIApplication) -> None:
        import boto3

        self._application = application
        self._session = boto3.Session(aws_access_key_id=clients.KEY_ID, aws_secret_access_key=clients.KEY_SECRET)
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        key = (service, region)
        if key not in self._clients:
            made = clients.make(self._session, service, region, "http://in-process", 30)
            made.meta.events.register("before-send", self._send)
            self._clients[key] = made
        return self._clients[key]

    def forget(self) -> None:
        """Give back the memory of the clients (a service model is megabytes)."""
        self._clients.clear()

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        body = request.body
        environ = EnvironBuilder(
            path=url.path,
            query_string=url.query,
            method=request.method,
            headers=[(name, _text(value)) for name, value in request.headers.items()],
            data=body.read() if hasattr(body, "read") else body or b"",
            base_url=f"{url.scheme}://{url.netloc}",
        ).get_environ()
        chunks, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        raw: Any = MockRawResponse(b"".join(chunks))
        return AWSResponse(request.url, int(status.split()[0]), dict(headers), raw)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
