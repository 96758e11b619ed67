# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers that run now, with their processes: what a fault signals, stops or kills."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from ..layout import Layout
from .kubelet import runtime


@dataclass(frozen=True)
class RunningContainer:
    """A container and the process that leads its process group."""

    namespace: str
    pod: str
    container: str
    restart: int
    process: psutil.Process


def running(layout: Layout, *, namespace: str | None = None, container: str | None = None) -> list[RunningContainer]:
    """The running containers, from the kubelet's folder; neither kubelet nor API server need to be up."""
    found = []
    for folder in sorted((layout.folder / "pods").glob("*/*/*/")):
        pod_namespace, pod, _ = folder.parent.name.split("_")
        if (namespace or pod_namespace) != pod_namespace or (container or folder.name) != folder.name:
            continue
        latest = runtime.latest(folder)
        if latest is None or not latest.running:
            continue
        try:
            process = psutil.Process(latest.pid)
        except psutil.NoSuchProcess:
            continue
        found.append(RunningContainer(pod_namespace, pod, folder.name, latest.restart, process))
    return found
