# SPDX-License-Identifier: BSD-2-Clause
"""Options of the Kubernetes workload check: connection settings, names and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..options import PATH, threshold_options


@dataclass(frozen=True)
class Settings:
    """How to reach the cluster, and the names of what is judged.

    :param kubeconfig: a kubeconfig file; empty takes ``eks_cluster``, else the client's default file or the pod's own
        service account.
    :param eks_cluster: sign in to this EKS cluster with AWS credentials, when no kubeconfig is given.
    :param secret: the Secret with the shop's database settings; empty skips it.
    :param external_secret: the ExternalSecret that writes it, looked at only if ``use_external_secrets``.
    :param salt: random, made for one run; without it no fingerprints of secrets are given.
    """

    kubeconfig: str = field(default="", metadata=PATH)
    context: str = ""
    eks_cluster: str = ""
    region: str = ""
    aws_profile: str = ""
    aws_credentials_file: str = field(default="", metadata=PATH)
    aws_endpoint_url: str = ""
    namespace: str = "dhakacart"
    deployment: str = "dhakacart-backend"
    selector: str = "app=dhakacart-backend"
    service: str = "dhakacart-backend-service"
    hpa: str = "dhakacart-backend-hpa"
    pdb: str = "dhakacart-backend-pdb"
    secret: str = "dhakacart-secrets"  # noqa: S105 - a name
    secret_host_key: str = "db-host"  # noqa: S105 - a key
    secret_port_key: str = "db-port"  # noqa: S105 - a key
    secret_user_key: str = "db-user"  # noqa: S105 - a key
    secret_password_key: str = "db-password"  # noqa: S105 - a key
    use_external_secrets: bool = False
    external_secret: str = "dhakacart-db-credentials"  # noqa: S105 - a name
    log_lines: int = 20
    timeout: float = 3.0
    salt: str = field(default="", repr=False)


@dataclass(frozen=True)
class Thresholds:
    """Where observations become bad; at the threshold counts as beyond it."""

    ready_critical_pct: float = 50.0
    restart_recent_seconds: float = 900.0
    restarts_critical: int = 5
    pending_warning_seconds: float = 60.0
    rollout_stuck_seconds: float = 600.0
    event_warning_count: int = 1
    clock_skew_seconds: float = 60.0


ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "eks_cluster": {"type": "str"},
    "region": {"type": "str"},
    "aws_profile": {"type": "str"},
    "aws_credentials_file": {"type": "path"},
    "aws_endpoint_url": {"type": "str"},
    "namespace": {"type": "str", "default": "dhakacart"},
    "deployment": {"type": "str", "default": "dhakacart-backend"},
    "selector": {"type": "str", "default": "app=dhakacart-backend"},
    "service": {"type": "str", "default": "dhakacart-backend-service"},
    "hpa": {"type": "str", "default": "dhakacart-backend-hpa"},
    "pdb": {"type": "str", "default": "dhakacart-backend-pdb"},
    "secret": {"type": "str", "default": "dhakacart-secrets", "no_log": False},
    "secret_host_key": {"type": "str", "default": "db-host", "no_log": False},
    "secret_port_key": {"type": "str", "default": "db-port", "no_log": False},
    "secret_user_key": {"type": "str", "default": "db-user", "no_log": False},
    "secret_password_key": {"type": "str", "default": "db-password", "no_log": False},
    "use_external_secrets": {"type": "bool", "default": False},
    "external_secret": {"type": "str", "default": "dhakacart-db-credentials", "no_log": False},
    "log_lines": {"type": "int", "default": 20},
    "timeout": {"type": "float", "default": 3.0},
    "salt": {"type": "str", "no_log": True},
    "thresholds": {"type": "dict", "apply_defaults": True, "options": threshold_options(Thresholds)},
}
