# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of one lab is: its folder, its addresses, its names.

Every lab lives in one folder and on one loopback network, 127.<subnet>.0.0/16, so two labs run side by side
on the ports that the real services use, and a pod has an address of its own.

To Kubernetes a pod's address is 10.<subnet>.x.y: a real API server takes no loopback address for an endpoint. What
stands in for the pod network is a rule without a state: who dials 10.<subnet>.x.y dials 127.<subnet>.x.y.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DEFAULT_NAME = "default"
LAB_FILE = "lab.json"
NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,19}")


# What a lab can play, and how Terraform would name its resources.
PREFIXES = {"lab": "dhakacart-lab", "staging": "dhakacart-staging"}
DEFAULT_PLAYS = "lab"
ORDERS_KEPT = 2 * 3600.0
# Where a lab's Kubernetes may come from; see kubernetes.providers.
PROVIDERS = ("simulated", "control-plane", "kubeconfig")
DEFAULT_PROVIDER = "simulated"
# Of a lab's pod network, which every node has an equal part of.
POD_ADDRESSES = 2250


class LabError(Exception):
    """Something the person at the terminal can mend; the message says what, where and how."""


class UsageError(LabError):
    """What was asked for does not exist or makes no sense; nothing was touched."""


@dataclass(frozen=True)
class Address:
    """A host and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def state_root() -> Path:
    """The folder that holds the labs of this user.

    PostgreSQL refuses to run as root and is started as another user, who must be able to reach his files: root's
    labs therefore live outside root's home.
    """
    if chosen := os.environ.get("DHAKACART_LAB_HOME"):
        return Path(chosen).absolute()  # components work in the folder of their lab
    if os.geteuid() == 0:
        return Path("/var/lib/dhakacart-lab")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "dhakacart-lab"


@dataclass(frozen=True)
class Foreign:
    """A cluster that somebody else made, for the provider ``kubeconfig``.

    :ivar kubeconfig: absolute path.
    :ivar context: the one of it that is meant; empty for its current one.
    """

    kubeconfig: str
    context: str = ""

    def __str__(self) -> str:
        return f"{self.kubeconfig} ({self.context or 'current context'})"


@dataclass(frozen=True)
class Layout:
    """The folder, network and names of one lab.

    :ivar subnet: the second octet of its loopback network.
    :ivar orders_kept: seconds. Orders, backups and the shopper's record that are older are dropped.
    :ivar provider: where its Kubernetes comes from, one of ``PROVIDERS``.
    :ivar foreign: the cluster of the provider ``kubeconfig``.
    """

    name: str
    folder: Path
    subnet: int
    lab_id: str

    # --- names of the platform, as Terraform and the manifests would give them for the environment it plays
    environment: str = DEFAULT_PLAYS
    orders_kept: float = ORDERS_KEPT
    provider: str = DEFAULT_PROVIDER
    foreign: Foreign | None = None
    namespace: str = "dhakacart"
    region: str = "us-west-2"
    dr_region: str = "us-east-1"
    account: str = "123456789012"
    database: str = "dhakacart"
    admin_user: str = "dhakacart_admin"  # the runbooks and checks; the reserved connections are his
    app_user: str = "dhakacart"  # the shop
    replication_user: str = "replicator"

    @property
    def prefix(self) -> str:
        return PREFIXES[self.environment]

    @property
    def identity(self) -> dict[str, str]:
        """What its systems say of themselves, so that nobody drills something else by mistake."""
        return {"environment": self.environment, "drillable": "true", "lab_id": self.lab_id}

    def host(self, network: int, number: int) -> str:
        return f"127.{self.subnet}.{network}.{number}"

    # --- PostgreSQL: what applications dial (an endpoint, moved by the edge) and where servers really listen (a node)
    @property
    def endpoints(self) -> dict[str, Address]:
        """RDS instance role -> the address that AWS reports as its endpoint."""
        return {
            "primary": Address(self.host(0, 10), 5432),
            "replica": Address(self.host(0, 20), 5432),
            "recovery": Address(self.host(0, 30), 5432),
        }

    @property
    def nodes(self) -> dict[str, Address]:
        """PostgreSQL server -> where it listens."""
        return {name: Address(self.host(0, 11 + i), 5432) for i, name in enumerate("abc")}

    @property
    def edge_admin(self) -> Address:
        return Address(self.host(0, 2), 8600)

    @property
    def redis(self) -> Address:
        return Address(self.host(0, 40), 6379)

    @property
    def kubernetes_api(self) -> Address:
        return Address(self.host(0, 50), 6443)

    @property
    def aws(self) -> Address:
        return Address(self.host(0, 60), 4566)

    @property
    def load_balancer(self) -> Address:
        return Address(self.host(0, 70), 8080)

    @property
    def webhook(self) -> Address:
        return Address(self.host(0, 80), 8025)

    @property
    def metrics_api(self) -> Address:
        """What serves metrics.k8s.io."""
        return Address(self.host(0, 52), 4443)

    @property
    def kubelets(self) -> dict[str, Address]:
        """Kubernetes node -> where its kubelet listens."""
        # In a cluster of somebody's there may be nodes of other labs.
        prefix = f"{self.lab_id}-node" if self.foreign else "lab-node"
        return {f"{prefix}-{number}": Address(self.host(0, 89 + number), 10250) for number in (1, 2)}

    def pod_ips(self, node: str) -> list[str]:
        """The addresses of a node's part of the pod network, as Kubernetes knows them."""
        share = POD_ADDRESSES // len(self.kubelets)
        first = list(self.kubelets).index(node) * share
        return [self.pod_ip(number) for number in range(first, first + share)]

    def pod_ip(self, number: int) -> str:
        """The address of pod ``number`` (0-based), in 10.<subnet>.1.1 … 10.<subnet>.9.250."""
        network, host = divmod(number, 250)
        return f"10.{self.subnet}.{1 + network}.{1 + host}"

    def dialled(self, address: str) -> str:
        """Where what has that address really listens; an address outside the pod network is itself."""
        inside = f"10.{self.subnet}."
        return f"127.{self.subnet}.{address.removeprefix(inside)}" if address.startswith(inside) else address

    # --- RDS instance ids
    @property
    def db_instance(self) -> str:
        return f"{self.prefix}-postgresql"

    @property
    def db_read_replica(self) -> str:
        return f"{self.prefix}-postgresql-read-replica"

    @property
    def db_recovery_instance(self) -> str:
        return f"{self.prefix}-recovery"

    # --- files
    @property
    def lab_file(self) -> Path:
        """What the inventory reads: endpoints and paths of credentials, never a secret."""
        return self.folder / LAB_FILE

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """Pid files."""
        return self.folder / "run"

    @property
    def credentials(self) -> Path:
        """Passwords and tokens, mode 0700, each file 0600."""
        return self.folder / "credentials"

    @property
    def kubeconfig(self) -> Path:
        return self.credentials / "kubeconfig"

    def kubelet_kubeconfig(self, node: str) -> Path:
        """The kubelet's own, where the provider tells nodes from administrators."""
        return self.credentials / f"{node}.kubeconfig"

    @property
    def pgpass(self) -> Path:
        """libpq password file for the admin user, on every endpoint and node."""
        return self.credentials / "pgpass"

    @property
    def redis_token(self) -> Path:
        return self.credentials / "redis-token"

    @property
    def aws_credentials(self) -> Path:
        return self.credentials / "aws"

    @property
    def inventory(self) -> Path:
        """Laid over the inventory of the environment that the lab plays: ``-i inventories/staging -i <this>``."""
        return self.folder / "inventory"

    @property
    def orders_log(self) -> Path:
        """The shopper's own record: one JSON line an attempt to order."""
        return self.folder / "shopper" / "orders.jsonl"

    @property
    def kept_since(self) -> Path:
        """From when on orders are kept; see ``shopper.record``."""
        return self.folder / "shopper" / "kept-since"

    @property
    def faults(self) -> Path:
        """What was broken and the true cause. Plays, checks and inventories never read this folder."""
        return self.folder / "private" / "faults"

    def secret(self, name: str) -> str:
        """The password or token called ``name`` (``db-admin``, ``db-app``, ``db-replication``, ``redis-token``)."""
        path = self.credentials / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise LabError(f"{path}: the lab has no such credential; remedy: runbook lab up") from None

    def describe(self) -> dict[str, Any]:
        """The content of the lab file."""
        endpoints = self.endpoints
        return {
            "name": self.name,
            "lab_id": self.lab_id,
            "subnet": self.subnet,
            "folder": str(self.folder),
            "environment": self.environment,
            "prefix": self.prefix,
            "orders_kept": self.orders_kept,
            "provider": self.provider,
            **({"foreign": asdict(self.foreign)} if self.foreign else {}),
            "inventory": str(self.inventory),
            "postgres": {
                "host": endpoints["primary"].host,
                "port": endpoints["primary"].port,
                "replica_host": endpoints["replica"].host,
                "replica_port": endpoints["replica"].port,
                "database": self.database,
                "admin_user": self.admin_user,
                "app_user": self.app_user,
                "passfile": str(self.pgpass),
            },
            "redis": {"host": self.redis.host, "port": self.redis.port, "token_file": str(self.redis_token)},
            "kubernetes": {"kubeconfig": str(self.kubeconfig), "namespace": self.namespace},
            "aws": {
                "endpoint_url": f"http://{self.aws}",
                "credentials_file": str(self.aws_credentials),
                "region": self.region,
                "dr_region": self.dr_region,
            },
            "shop": {"url": f"http://{self.load_balancer}"},
            "webhook": {"url": f"http://{self.webhook}/notify"},
        }


def lab_folder(name: str = DEFAULT_NAME) -> Path:
    """The folder of the lab called ``name``; raises UsageError for a name that cannot be one."""
    if not NAME_PATTERN.fullmatch(name):
        raise UsageError(
            f"lab name {name!r}: use 1 to 20 lower-case letters, digits and hyphens, starting with a letter"
        )
    return state_root() / name


def read_layout(folder: Path) -> Layout:
    """The layout recorded in a lab folder; raises LabError with the remedy where there is none."""
    path = folder / LAB_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        layout = Layout(
            name=found["name"],
            folder=folder,
            subnet=int(found["subnet"]),
            lab_id=found["lab_id"],
            environment=str(found.get("environment", DEFAULT_PLAYS)),
            orders_kept=float(found.get("orders_kept", ORDERS_KEPT)),
            provider=str(found.get("provider", DEFAULT_PROVIDER)),
            foreign=Foreign(**found["foreign"]) if found.get("foreign") else None,
        )
        if layout.environment not in PREFIXES:
            raise ValueError(f"environment {layout.environment!r}")
        if layout.provider not in PROVIDERS:
            raise ValueError(f"provider {layout.provider!r}")
        return layout
    except FileNotFoundError:
        raise LabError(f"no lab is up ({path} is missing); remedy: runbook lab up") from None
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(f"{path}: not a lab file ({error}); remedy: runbook lab down, then runbook lab up") from None


def load_layout(name: str = DEFAULT_NAME) -> Layout:
    """The layout of the lab called ``name``."""
    return read_layout(lab_folder(name))
