# SPDX-License-Identifier: GPL-3.0-or-later
"""Reach a Kubernetes API with what a kubeconfig says.

The official client takes 1 s and 60 MB to import; a load balancer needs one address, a token and a TLS context.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..layout import LabError


@dataclass(frozen=True)
class ApiAccess:
    """URL of the API server, headers that authenticate, and the TLS context (None for plain HTTP)."""

    server: str
    headers: dict[str, str] = field(repr=False)
    tls: ssl.SSLContext | None


def read(path: Path) -> ApiAccess:
    """The access of the current context: bearer token or client certificate. LabError where it cannot be used."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"])["user"] or {}
        if plugin := user.keys() & {"exec", "auth-provider"}:
            raise LabError(
                f"{path}: user {context['user']} logs in by {plugin.pop()}, which the load balancer does not run; "
                "remedy: a kubeconfig with a token or a client certificate"
            )
        server = str(cluster["server"]).rstrip("/")
        tls = _tls(cluster, user, path.parent) if server.startswith("https://") else None
        return ApiAccess(server, _headers(user, path.parent), tls)
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration, binascii.Error, ssl.SSLError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise LabError(f"{path}: cannot be used as a kubeconfig ({what}); remedy: runbook lab up") from None


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _headers(user: dict[str, Any], folder: Path) -> dict[str, str]:
    token = user.get("token")
    if token is None and (file := user.get("tokenFile")):
        token = (folder / file).read_text(encoding="utf-8").strip()
    return {"authorization": f"Bearer {token}"} if token else {}


def _tls(cluster: dict[str, Any], user: dict[str, Any], folder: Path) -> ssl.SSLContext:
    authority = _pem(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode("ascii") if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _pem(user, "client-certificate", folder), _pem(user, "client-key", folder)
    if certificate and key:
        # Python's ssl reads a client certificate from a file only; this one is private and gone at once.
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _pem(section: dict[str, Any], name: str, folder: Path) -> bytes | None:
    if data := section.get(f"{name}-data"):
        return base64.b64decode(data)
    return (folder / section[name]).read_bytes() if section.get(name) else None
