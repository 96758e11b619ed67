# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the control plane know each other by: certificates, tokens, kubeconfigs. All in files of 0600."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...layout import Layout
from ..access import write_private
from ..pki import Authority, Pair

# The lab's two accounts: token, user, groups. Of the same names with the simulated provider.
ACCOUNTS = (("kube-admin-token", "lab-admin", "system:masters"), ("kube-readonly-token", "lab-readonly", ""))
READER = "lab-readonly"
KUBELET_CLIENT = "kube-apiserver-kubelet-client"
FRONT_PROXY = "front-proxy-client"
METRICS_SERVER = "metrics-server"
MACHINE = "lab"  # the one cluster, user and context of a component's kubeconfig


@dataclass(frozen=True)
class Credentials:
    """Where they are."""

    authority: Path
    etcd: Pair
    etcd_client: Pair
    api_server: Pair
    kubelet_client: Pair
    front_proxy: Pair
    service_accounts: Pair
    tokens: Path
    controller_manager: Path
    scheduler: Path


def etcd_host(layout: Layout) -> str:
    return layout.host(0, 51)


def service_network(layout: Layout) -> str:
    """Addresses of Services; the lower half of the network is the pods'."""
    return f"10.{layout.subnet}.128.0/17"


def metrics_server_kubeconfig(layout: Layout) -> Path:
    return layout.credentials / f"{METRICS_SERVER}.kubeconfig"


def server_url(layout: Layout) -> str:
    return f"https://{layout.kubernetes_api}"


def prepare(layout: Layout) -> Credentials:
    """Make what is missing or about to expire, the kubelets' and the metrics server's kubeconfigs included."""
    authority = Authority.open(layout)
    etcd, api = etcd_host(layout), layout.kubernetes_api.host
    service = "kubernetes.default.svc"
    names = ("kubernetes", "kubernetes.default", service, f"{service}.cluster.local")
    first_service = f"10.{layout.subnet}.128.1"
    tokens = layout.credentials / "kube-tokens.csv"
    write_private(tokens, "".join(_token_line(layout, *account) for account in ACCOUNTS))
    for node in layout.kubelets:
        pair = authority.issue(f"{node}-client", common_name=f"system:node:{node}", organizations=("system:nodes",))
        _write_kubeconfig(layout.kubelet_kubeconfig(node), layout, authority, pair)
    pair = authority.issue(METRICS_SERVER, common_name=METRICS_SERVER)
    _write_kubeconfig(metrics_server_kubeconfig(layout), layout, authority, pair)
    return Credentials(
        authority=authority.certificate,
        etcd=authority.issue("etcd", common_name="etcd", hosts=(etcd,)),
        etcd_client=authority.issue("etcd-client", common_name="kube-apiserver-etcd-client"),
        api_server=authority.issue("kube-apiserver", common_name="kube-apiserver", hosts=(api, first_service, *names)),
        kubelet_client=authority.issue(KUBELET_CLIENT, common_name=KUBELET_CLIENT),
        front_proxy=authority.issue(FRONT_PROXY, common_name=FRONT_PROXY),
        service_accounts=authority.service_accounts(),
        tokens=tokens,
        controller_manager=_component(layout, authority, "kube-controller-manager"),
        scheduler=_component(layout, authority, "kube-scheduler"),
    )


def _token_line(layout: Layout, secret: str, user: str, groups: str) -> str:
    """``token,user,uid,"groups"``; our tokens are of letters, digits, - and _."""
    return f'{layout.secret(secret)},{user},{user},"{groups}"\n'


def _component(layout: Layout, authority: Authority, name: str) -> Path:
    pair = authority.issue(name, common_name=f"system:{name}")
    path = layout.credentials / f"{name}.kubeconfig"
    _write_kubeconfig(path, layout, authority, pair)
    return path


def _write_kubeconfig(path: Path, layout: Layout, authority: Authority, pair: Pair) -> None:
    """A kubeconfig that authenticates by certificate."""

    def embedded(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    cluster = {"server": server_url(layout), "certificate-authority-data": embedded(authority.certificate)}
    user = {"client-certificate-data": embedded(pair.certificate), "client-key-data": embedded(pair.key)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": MACHINE, "cluster": cluster}],
        "users": [{"name": MACHINE, "user": user}],
        "contexts": [{"name": MACHINE, "context": {"cluster": MACHINE, "user": MACHINE}}],
        "current-context": MACHINE,
    }
    write_private(path, yaml.safe_dump(config, sort_keys=False))
