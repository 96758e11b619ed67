# SPDX-License-Identifier: GPL-3.0-or-later
"""How each of the four programs is called. What is a secret is in a file, never among the arguments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...layout import Address, Layout
from . import credentials
from .credentials import Credentials

# Component names, in the order of their start; faults freeze and stop the API server by the name it has everywhere.
ETCD, API_SERVER = "etcd", "kubernetes"
CONTROLLER_MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
METRICS = "metrics"  # of ours, and no program of Kubernetes
PROGRAMS: Mapping[str, str] = {
    ETCD: "etcd",
    API_SERVER: "kube-apiserver",
    CONTROLLER_MANAGER: "kube-controller-manager",
    SCHEDULER: "kube-scheduler",
}
# The platform evicts pods from a lost node after 40 s of silence and 300 s of toleration. The lab is quicker: two of
# the kubelet's lease renewals (every 10 s) are missed before a node is NotReady, and its pods move 20 s later.
NODE_GRACE = 25  # seconds
EVICTION_TOLERATION = 20  # seconds
DATABASE_QUOTA = 256 * 1024 * 1024  # bytes; a lab holds a few megabytes


def etcd_client(layout: Layout) -> Address:
    return Address(credentials.etcd_host(layout), 2379)


def etcd_data(layout: Layout) -> Path:
    return layout.folder / "control-plane" / "etcd"


def argv(layout: Layout, component: str, program: Path, files: Credentials) -> list[str]:
    """The command of a component, by its component name."""
    build = {
        ETCD: _etcd,
        API_SERVER: _api_server,
        CONTROLLER_MANAGER: _controller_manager,
        SCHEDULER: _scheduler,
    }[component]
    return [str(program), *(f"--{flag}={value}" for flag, value in build(layout, files).items())]


def _etcd(layout: Layout, files: Credentials) -> dict[str, object]:
    clients = f"https://{etcd_client(layout)}"
    peers = f"https://{credentials.etcd_host(layout)}:2380"
    pair, authority = files.etcd, files.authority
    return {
        "name": "lab",
        "data-dir": etcd_data(layout),
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"lab={peers}",
        "initial-cluster-token": layout.lab_id,
        "client-cert-auth": "true",
        "cert-file": pair.certificate,
        "key-file": pair.key,
        "trusted-ca-file": authority,
        "peer-client-cert-auth": "true",
        "peer-cert-file": pair.certificate,
        "peer-key-file": pair.key,
        "peer-trusted-ca-file": authority,
        # Only processes are killed here, never the machine.
        "unsafe-no-fsync": "true",
        "quota-backend-bytes": DATABASE_QUOTA,
        "log-level": "warn",
    }


def _api_server(layout: Layout, files: Credentials) -> dict[str, object]:
    address = layout.kubernetes_api
    return {
        "bind-address": address.host,
        "advertise-address": address.host,
        "secure-port": address.port,
        "tls-cert-file": files.api_server.certificate,
        "tls-private-key-file": files.api_server.key,
        "etcd-servers": f"https://{etcd_client(layout)}",
        "etcd-cafile": files.authority,
        "etcd-certfile": files.etcd_client.certificate,
        "etcd-keyfile": files.etcd_client.key,
        # By default after 5 minutes. Here what watches and pages learns sooner that a revision may have expired.
        "etcd-compaction-interval": "1m",
        # It would register itself as an endpoint, and that may not be a loopback address.
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": credentials.service_network(layout),
        # --- who asks, and what he may
        "client-ca-file": files.authority,
        "token-auth-file": files.tokens,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": files.service_accounts.certificate,
        "service-account-signing-key-file": files.service_accounts.key,
        # --- the kubelets, whom it asks for logs
        "kubelet-certificate-authority": files.authority,
        "kubelet-client-certificate": files.kubelet_client.certificate,
        "kubelet-client-key": files.kubelet_client.key,
        "kubelet-preferred-address-types": "InternalIP",
        # --- the metrics server, to whom it passes metrics.k8s.io on. Without aggregator routing, which knows no
        # Service of type ExternalName: ours names a loopback address, and there is no pod behind it.
        "proxy-client-cert-file": files.front_proxy.certificate,
        "proxy-client-key-file": files.front_proxy.key,
        "requestheader-client-ca-file": files.authority,
        "requestheader-allowed-names": credentials.FRONT_PROXY,
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        # ---
        "default-not-ready-toleration-seconds": EVICTION_TOLERATION,
        "default-unreachable-toleration-seconds": EVICTION_TOLERATION,
        "event-ttl": "1h",
        "profiling": "false",
    }


def _controller_manager(layout: Layout, files: Credentials) -> dict[str, object]:
    return {
        "kubeconfig": files.controller_manager,
        "leader-elect": "false",  # one of each
        "secure-port": 0,
        "profiling": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": files.service_accounts.key,
        "root-ca-file": files.authority,
        # By default it makes a folder of the machine for them.
        "flex-volume-plugin-dir": layout.folder / "control-plane" / "volume-plugins",
        "node-monitor-period": "2s",
        "node-monitor-grace-period": f"{NODE_GRACE}s",
        # The platform's pods are judged by their CPU after 5 minutes; a drill has no such time.
        "horizontal-pod-autoscaler-cpu-initialization-period": "10s",
        "horizontal-pod-autoscaler-initial-readiness-delay": "5s",
        "kube-api-qps": 100,
        "kube-api-burst": 200,
    }


def _scheduler(layout: Layout, files: Credentials) -> dict[str, object]:  # noqa: ARG001 - as the others
    return {
        "kubeconfig": files.scheduler,
        "leader-elect": "false",
        "secure-port": 0,
        "profiling": "false",
    }
