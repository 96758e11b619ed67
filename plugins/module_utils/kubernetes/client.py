# SPDX-License-Identifier: BSD-2-Clause
"""Requests to the Kubernetes API under deadlines. The only place that knows the client's and urllib3's errors.

The official client finds the cluster and its credentials; the requests are plain JSON over its connection pool, because
building its models costs more than the network for a few hundred pods.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ..core.errors import (
    ConfigurationError,
    Denied,
    Missing,
    NoAnswer,
    NoRoute,
    NotReady,
    Overloaded,
    ReadError,
    Refused,
    Unexpected,
)
from . import eks
from .arguments import Settings

PAGE = 500
MAX_BYTES = 64 * 1024 * 1024


class Api:
    """A connection to one cluster; may be used from several threads."""

    def __init__(self, settings: Settings) -> None:
        """:raises ConfigurationError: the client library, the kubeconfig or the context is missing or malformed."""
        client, self._urllib3 = _sdk()
        self._timeout = settings.timeout
        configuration = _configuration(settings)
        configuration.retries = False
        self.server = str(configuration.host).rstrip("/")
        self._pool = client.ApiClient(configuration).rest_client.pool_manager
        self._headers = {"Accept": "application/json", "User-Agent": "dhakacart-runbooks"}
        for setting in configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                self._headers[setting["key"]] = setting["value"]
        self.server_time: float | None = None

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object at ``path``.

        :raises ReadError: ``kind`` says how it failed.
        """
        body = self.get_bytes(path, query)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unexpected("the answer is not a JSON object", where=self._where(path), remedy="is this Kubernetes?")
        return answer

    def items(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page, within one deadline for all pages.

        A list that changes while it is paged through may expire (410); it is then read again from the start, once, and
        what was given already is left out.
        """
        deadline = time.monotonic() + self._timeout
        token, again = "", True
        given: set[Any] = set()
        while True:
            page_query = {**(query or {}), "limit": PAGE, **({"continue": token} if token else {})}
            try:
                page = self.get(path, page_query)
            except Expired:
                if not again:
                    raise
                token, again = "", False
                continue
            found = page.get("items")
            if not isinstance(found, list) and found is not None:
                raise Unexpected("items is not a list", where=self._where(path))
            for item in found or []:
                if not isinstance(item, dict):
                    continue
                name = (item.get("metadata") or {}).get("name")
                if name is None or name not in given:
                    given.add(name)
                    yield item
            token = str((page.get("metadata") or {}).get("continue") or "")
            if not token:
                return
            if time.monotonic() >= deadline:
                raise NoAnswer(f"the list was not complete in {self._timeout:g} s", where=self._where(path))

    def get_bytes(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """The body at ``path``, as it comes."""
        return self.exchange("GET", path, query)

    def exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        content_type: str = "",
    ) -> bytes:
        """One request and its body, within the deadline.

        :raises ReadError: ``kind`` says how it failed; also for a write, whose effect is then unknown.
        """
        errors = self._urllib3.exceptions
        where = self._where(path)
        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        deadline = time.monotonic() + self._timeout
        timeout = self._urllib3.Timeout(total=self._timeout)
        try:
            headers = {**self._headers, **({"Content-Type": content_type} if content_type else {})}
            response = self._pool.request(
                method, url, body=body, headers=headers, timeout=timeout, retries=False, preload_content=False
            )
            try:
                answer = self._body(response, deadline, where)
                date = response.headers.get("Date")
                status = int(response.status)
            finally:
                response.release_conn()
        except errors.HTTPError as error:
            raise self._transport(error, where) from error
        if date:
            self._note_time(date)
        if status not in (200, 201):
            raise _refusal(status, answer, where)
        return answer

    def _body(self, response: Any, deadline: float, where: str) -> bytes:
        """A body that trickles in may not outlive the deadline, which urllib3 counts for each read anew."""
        chunks, size = [], 0
        while chunk := response.read1(256 * 1024):  # read() would wait for the whole of it
            chunks.append(chunk)
            size += len(chunk)
            if time.monotonic() >= deadline:
                raise NoAnswer(f"the answer was not complete in {self._timeout:g} s", where=where)
            if size > MAX_BYTES:
                raise Unexpected(f"the answer is larger than {MAX_BYTES} bytes", where=where)
        return b"".join(chunks)

    def _note_time(self, date: str) -> None:
        try:
            self.server_time = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return  # the Date header is only used to judge ages; without it this machine's clock is

    def _where(self, path: str) -> str:
        return f"{self.server}{path}"

    def _transport(self, error: Any, where: str) -> ReadError:
        errors = self._urllib3.exceptions
        text = " ".join(str(error).split())[:200]
        if isinstance(error, errors.ConnectTimeoutError) and not isinstance(error, errors.NewConnectionError):
            return NoRoute(
                f"no TCP connection in {self._timeout:g} s", where=where, remedy="check the route to the API"
            )
        if isinstance(error, errors.ReadTimeoutError):
            return NoAnswer(f"no answer in {self._timeout:g} s", where=where, remedy="the API server hangs")
        if isinstance(error, errors.NewConnectionError):
            if "refused" in text.lower():
                return Refused(
                    "nothing listens there (connection refused)", where=where, remedy="is the API server up?"
                )
            return NoRoute(text, where=where, remedy="check DNS and the route to the API")
        if isinstance(error, errors.ProtocolError):
            return Refused(f"the connection was cut ({text})", where=where, remedy="is the API server up?")
        if isinstance(error, errors.SSLError):
            return Unexpected(f"TLS: {text}", where=where, remedy="check the certificate authority in the kubeconfig")
        return Unexpected(text, where=where)


class Expired(Missing):
    """A continue token is too old (410)."""


def _refusal(status: int, body: bytes, where: str) -> ReadError:
    try:
        message = str(json.loads(body).get("message") or "")
    except (ValueError, AttributeError):
        message = ""
    text = f"HTTP {status}" + (f": {message[:200]}" if message else "")
    if status in (401, 403):
        remedy = "the token is wrong or expired" if status == 401 else "the account may not read this: check its role"
        return Denied(text, where=where, remedy=remedy)
    if status == 404:
        return Missing(text, where=where, remedy="check the name and namespace in the inventory")
    if status == 410:
        return Expired(text, where=where, remedy="try again")
    if status == 429:
        return Overloaded(text, where=where, remedy="wait, then try again")
    if status in (500, 502, 503, 504):
        return NotReady(text, where=where, remedy="look at the API server and etcd")
    return Unexpected(text, where=where)


def _configuration(settings: Settings) -> Any:
    import yaml
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    configuration = client.Configuration()
    where = settings.kubeconfig or "kubeconfig"
    try:
        if settings.kubeconfig:
            if not Path(settings.kubeconfig).is_file():
                raise ConfigurationError("kubeconfig does not exist", where=where, remedy="set dhakacart_kubeconfig")
            config.load_kube_config(
                settings.kubeconfig,
                context=settings.context or None,
                client_configuration=configuration,
                persist_config=False,
            )
        elif settings.eks_cluster:
            _use(configuration, eks.sign_in(settings))
        else:
            try:
                config.load_incluster_config(client_configuration=configuration)
            except ConfigException:
                config.load_kube_config(
                    context=settings.context or None, client_configuration=configuration, persist_config=False
                )
    except (ConfigException, OSError) as error:
        raise ConfigurationError(_one_line(error), where=where, remedy="set dhakacart_kubeconfig") from error
    except (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        # The client takes the shape of the file for granted.
        raise ConfigurationError(
            f"malformed kubeconfig ({_one_line(error)})", where=where, remedy="fetch the kubeconfig anew"
        ) from error
    if not str(configuration.host or "").startswith(("http://", "https://")):
        raise ConfigurationError(f"no API server address ({configuration.host!r})", where=where, remedy="fetch it anew")
    return configuration


def _use(configuration: Any, cluster: eks.Cluster) -> None:
    configuration.host = cluster.server
    configuration.api_key = {"authorization": f"Bearer {cluster.token}", "BearerToken": f"Bearer {cluster.token}"}
    configuration.ca_cert_data = cluster.authority.decode()


def _sdk() -> tuple[Any, Any]:
    try:
        import urllib3
        from kubernetes import client
    except ImportError as error:
        raise ConfigurationError(
            f"the Python library kubernetes is missing ({error})",
            where="kubernetes",
            remedy="install kubernetes for the interpreter that runs the checks",
        ) from error
    return client, urllib3


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
