# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs: what they say of an API server and of who asks it, read and written without the official client, whose
import takes a second and 60 MB."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ..layout import LabError, Layout
from .kinds import Obj

CONTEXT, READER_CONTEXT = "lab", "lab-readonly"
REMEDY = "remedy: runbook lab up"


@dataclass(frozen=True)
class Access:
    """Where the API server is and how to be known to it.

    :ivar server: URL without a slash at its end.
    :ivar tls: None for plain HTTP.
    """

    server: str
    token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def read_kubeconfig(path: Path, context: str | None = None) -> Access:
    """The access that a context describes, the current one where none is named. LabError where it cannot be used."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        chosen = _named(config["contexts"], context or config["current-context"])["context"]
        cluster = _named(config["clusters"], chosen["cluster"])["cluster"]
        user = _named(config["users"], chosen["user"])["user"] or {}
        if plugin := user.keys() & {"exec", "auth-provider"}:
            raise LabError(
                f"{path}: user {chosen['user']} logs in by {plugin.pop()}, which the lab does not run; "
                "remedy: a kubeconfig with a token or a client certificate"
            )
        server = str(cluster["server"]).rstrip("/")
        tls = _tls(cluster, user, path.parent) if server.startswith("https://") else None
        return Access(server, _token(user, path.parent), tls)
    except FileNotFoundError as error:
        raise LabError(f"{error.filename}: no kubeconfig; {REMEDY}") from None
    except (OSError, KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise LabError(f"{path}: cannot be used as a kubeconfig ({reason}); {REMEDY}") from None


def _named(entries: list[Obj], name: str) -> Obj:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise KeyError(name)


def _token(user: Obj, folder: Path) -> str:
    if token := user.get("token"):
        return str(token)
    return (folder / user["tokenFile"]).read_text(encoding="utf-8").strip() if user.get("tokenFile") else ""


def _tls(cluster: Obj, user: Obj, folder: Path) -> ssl.SSLContext:
    def material(owner: Obj, key: str) -> str | None:
        """PEM text of ``key``, embedded or in a file."""
        if data := owner.get(f"{key}-data"):
            return base64.b64decode(data).decode()
        return (folder / owner[key]).read_text(encoding="utf-8") if owner.get(key) else None

    context = ssl.create_default_context(cadata=material(cluster, "certificate-authority"))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate, private_key = material(user, "client-certificate"), material(user, "client-key")
    if certificate and private_key:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:  # ssl only reads files; this one is 0600
            pem.write(certificate + "\n" + private_key)
            pem.flush()
            context.load_cert_chain(pem.name)
    return context


def write_kubeconfig(layout: Layout, server: str, *, authority: str = "") -> None:
    """The lab's kubeconfig, 0600: contexts ``lab`` (administrator) and ``lab-readonly``.

    :param server: URL of the API server.
    :param authority: PEM text of the certificate authority that its certificate is to be checked with.
    """
    users = {CONTEXT: "kube-admin-token", READER_CONTEXT: "kube-readonly-token"}
    name = f"{layout.prefix}-cluster"
    cluster = {"server": server}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": layout.secret(token)}} for user, token in users.items()],
        "contexts": [
            {"name": user, "context": {"cluster": name, "user": user, "namespace": layout.namespace}} for user in users
        ],
        "current-context": CONTEXT,
    }
    write_private(layout.kubeconfig, yaml.safe_dump(config, sort_keys=False))


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner only, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
