# SPDX-License-Identifier: GPL-3.0-or-later
"""What is chosen once in the life of a lab: its network, what it plays, where its Kubernetes comes from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from .layout import (
    DEFAULT_PLAYS,
    DEFAULT_PROVIDER,
    LAB_FILE,
    PREFIXES,
    PROVIDERS,
    Foreign,
    LabError,
    Layout,
    UsageError,
    read_layout,
    state_root,
)

FOREIGN = "kubeconfig"
PROVIDER_VARIABLE = "DHAKACART_LAB_KUBERNETES"


@dataclass(frozen=True)
class Wanted:
    """What somebody asks of a lab; None: as it is, or the usual where it is new.

    :ivar plays: the environment whose names and labels it has.
    :ivar provider: where its Kubernetes comes from.
    :ivar foreign: the cluster of the provider ``kubeconfig``.
    """

    plays: str | None = None
    provider: str | None = None
    foreign: Foreign | None = None

    @classmethod
    def of(cls, plays: str | None, provider: str | None, foreign: Foreign | None = None) -> Wanted:
        """The same, checked: UsageError for what there is not."""
        if plays is not None and plays not in PREFIXES:
            raise UsageError(f"a lab cannot play {plays!r}; remedy: one of {', '.join(PREFIXES)}")
        if provider is not None:
            _check_provider("--kubernetes", provider)
        if foreign and provider not in (None, FOREIGN):
            raise UsageError(f"--kubeconfig: the {provider} Kubernetes takes none; remedy: --kubernetes {FOREIGN}")
        return cls(plays, FOREIGN if foreign else provider, foreign)


ANY = Wanted()


def _check_provider(where: str, provider: str) -> None:
    if provider not in PROVIDERS:
        raise UsageError(f"{where}: there is no provider {provider!r}; remedy: one of {', '.join(PROVIDERS)}")


def provider_for(folder: Path, wanted: Wanted) -> str:
    """The provider that the lab in ``folder`` has, or would have as a new one."""
    if (folder / LAB_FILE).exists():
        with contextlib.suppress(LabError):
            return read_layout(folder).provider
    chosen = wanted.provider or _usual_provider()
    if chosen == FOREIGN and wanted.foreign is None:
        raise UsageError("--kubernetes kubeconfig: of which cluster? remedy: --kubeconfig FILE [--context NAME]")
    return chosen


def _usual_provider() -> str:
    """Of a new lab where nobody asks for one."""
    if chosen := os.environ.get(PROVIDER_VARIABLE):
        _check_provider(PROVIDER_VARIABLE, chosen)
    return chosen or DEFAULT_PROVIDER


def layout_for(name: str, folder: Path, wanted: Wanted = ANY) -> Layout:
    """The recorded layout, or a new one on a loopback network that nobody uses. UsageError where it is another one."""
    if (folder / LAB_FILE).exists():
        found = read_layout(folder)
        if wanted.plays not in (None, found.environment):
            again = f"remedy: runbook lab down, then up --as {wanted.plays}"
            raise UsageError(f"lab {name!r} plays {found.environment}; {again}")
        if wanted.provider not in (None, found.provider):
            again = f"remedy: runbook lab down, then up --kubernetes {wanted.provider}"
            raise UsageError(f"lab {name!r} has the {found.provider} Kubernetes; {again}")
        if wanted.foreign not in (None, found.foreign):
            raise UsageError(f"lab {name!r} has the cluster {found.foreign}; remedy: runbook lab down, then up again")
        return found
    lab_id = f"{name}-{secrets.token_hex(4)}"
    layout = Layout(
        name=name,
        folder=folder,
        subnet=free_subnet(name),
        lab_id=lab_id,
        environment=wanted.plays or DEFAULT_PLAYS,
        provider=wanted.provider or _usual_provider(),
        foreign=wanted.foreign,
    )
    temporary = folder / f"{LAB_FILE}.new"
    temporary.write_text(json.dumps(layout.describe(), indent=2) + "\n", encoding="utf-8")
    temporary.replace(folder / LAB_FILE)
    return layout


def free_subnet(name: str) -> int:
    taken = set()
    for path in state_root().glob(f"*/{LAB_FILE}"):
        with contextlib.suppress(LabError):
            taken.add(read_layout(path.parent).subnet)
    first = 10 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big") % 100
    for offset in range(240):
        subnet = 10 + (first - 10 + offset) % 240
        probe = Layout(name=name, folder=Path(), subnet=subnet, lab_id="")
        if subnet not in taken and all(map(_can_bind, (probe.load_balancer, probe.redis, probe.nodes["a"]))):
            return subnet
    raise LabError("no free loopback network 127.x.0.0/16; remedy: runbook lab down for labs you do not need")


def _can_bind(address: object) -> bool:
    host, port = str(address).rsplit(":", 1)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True
