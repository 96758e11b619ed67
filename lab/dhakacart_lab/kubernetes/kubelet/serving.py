# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask a kubelet what: it speaks TLS with a certificate of the lab's authority and knows clients by theirs."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Awaitable, Callable

import yaml
from aiohttp import web

from ...layout import LabError, Layout
from ..pki import Authority, Pair

API_SERVER = "kube-apiserver-kubelet-client"
METRICS_SERVER = "metrics-server"
MASTERS = "system:masters"
OPEN_PATHS = {"/healthz"}
# Kubernetes asks the API server whether the metrics server's role allows this; here it is the kubelet's own rule.
METRICS_PATHS = {"/metrics/resource"}


def clients_authority(layout: Layout) -> str:
    """PEM text of the authorities whose clients a kubelet knows: the lab's, and a foreign cluster's own."""
    own = Authority.open(layout).pem
    if layout.provider != "kubeconfig":
        return own
    # kubeadm and kind sign their API server's client certificate with the authority that the kubeconfig names.
    return own + "\n" + _cluster_authority(layout)


def _cluster_authority(layout: Layout) -> str:
    """The authority of the cluster that the lab's kubeconfig describes, PEM."""
    path = layout.kubeconfig
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        contexts = {entry["name"]: entry["context"] for entry in config["contexts"]}
        clusters = {entry["name"]: entry["cluster"] for entry in config["clusters"]}
        cluster = clusters[contexts[config["current-context"]]["cluster"]]
        if data := cluster.get("certificate-authority-data"):
            return base64.b64decode(data).decode("ascii")
        return (path.parent / str(cluster["certificate-authority"])).read_text(encoding="ascii")
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise LabError(
            f"{path}: names no certificate authority ({reason}), so that the lab's kubelets could not know the "
            "cluster's API server; remedy: a kubeconfig with certificate-authority-data"
        ) from None


def server_context(layout: Layout, node: str) -> ssl.SSLContext:
    """What the kubelet of ``node`` serves with. A client without a certificate gets as far as a 401."""
    pair = Authority.open(layout).issue(
        f"{node}-serving",
        common_name=f"system:node:{node}",
        organizations=("system:nodes",),
        hosts=(layout.kubelets[node].host, node),
    )
    return serving_context(pair, clients_authority(layout))


def serving_context(pair: Pair, clients: str) -> ssl.SSLContext:
    """A server's side of TLS that asks clients for a certificate of the authorities ``clients`` (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(cadata=clients)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client_context(layout: Layout, name: str, *, organizations: tuple[str, ...] = ()) -> ssl.SSLContext:
    """The other side: known to kubelets as ``name``, and talking to none but the lab's."""
    authority = Authority.open(layout)
    pair = authority.issue(name, common_name=name, organizations=organizations)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(pair.certificate, pair.key)
    return context


def client_of(request: web.Request) -> tuple[str, set[str]] | None:
    """The name and the groups that a request's client certificate gives; None where it showed none."""
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport else None
    if not certificate:
        return None
    found = [(key, value) for part in certificate["subject"] for key, value in part]
    names = [value for key, value in found if key == "commonName"]
    return (names[-1] if names else ""), {value for key, value in found if key == "organizationName"}


@web.middleware
async def authenticated(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """401 for who shows no certificate, 403 for who may not."""
    if request.path in OPEN_PATHS:
        return await handler(request)
    client = client_of(request)
    if client is None:
        return web.Response(status=401, text="Unauthorized")
    name, groups = client
    trusted = name == API_SERVER or MASTERS in groups
    if not trusted and not (name == METRICS_SERVER and request.path in METRICS_PATHS):
        verb = "create" if request.method == "POST" else request.method.lower()
        what = "metrics" if request.path.startswith("/metrics") else "proxy"
        text = f"Forbidden (user={name}, verb={verb}, resource=nodes, subresource(s)=[{what}])"
        return web.Response(status=403, text=text)
    return await handler(request)
