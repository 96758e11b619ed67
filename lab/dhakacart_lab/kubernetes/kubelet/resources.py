# SPDX-License-Identifier: GPL-3.0-or-later
"""``/metrics/resource``: what the node, its pods and their containers use, in the text form of Prometheus, under the
names of a real kubelet's. A metrics server reads nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import psutil

from ..kinds import parse_time
from . import usage
from .container import Container
from .pod import PodWorker

HELP = {
    "container_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the container in core-seconds"),
    "container_memory_working_set_bytes": ("gauge", "Current working set of the container in bytes"),
    "container_start_time_seconds": ("gauge", "Start time of the container since unix epoch in seconds"),
    "node_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the node in core-seconds"),
    "node_memory_working_set_bytes": ("gauge", "Current working set of the node in bytes"),
    "pod_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the pod in core-seconds"),
    "pod_memory_working_set_bytes": ("gauge", "Current working set of the pod in bytes"),
    "resource_scrape_error": ("gauge", "1 if there was an error while getting container metrics, 0 otherwise"),
}
Run = tuple[str, int, str]  # pod uid, process id, container


class Resources:
    """Remembers what has ended, so that the counters of the node and of its containers never fall."""

    def __init__(self) -> None:
        self._counters: dict[Run, usage.Counter] = {}
        self._node = usage.Counter()

    def text(self, workers: Iterable[PodWorker]) -> str:
        """The metrics of this moment."""
        lines: dict[str, list[str]] = {name: [] for name in HELP}
        everything, moment = usage.tasks(), int(time.time() * 1000)
        cpu, memory = 0.0, 0
        seen: set[Run] = set()
        for worker in workers:
            meta = worker.pod["metadata"]
            pod_cpu, pod_memory, running = 0.0, 0, False
            for container in [*worker.init, *worker.containers]:
                if (process := container.process) is None or not process.running:
                    continue
                run = (meta["uid"], process.pid, container.name)
                seen.add(run)
                found = usage.of_sessions(everything, {process.pid, *container.executions})
                used = self._counters.setdefault(run, usage.Counter()).count(found.cpu)
                labels = f'container="{container.name}",namespace="{meta["namespace"]}",pod="{meta["name"]}"'
                _container(lines, labels, container, used, found.memory, moment)
                pod_cpu, pod_memory, running = pod_cpu + used, pod_memory + found.memory, True
            if running:
                labels = f'namespace="{meta["namespace"]}",pod="{meta["name"]}"'
                lines["pod_cpu_usage_seconds_total"].append(f"{{{labels}}} {pod_cpu:.6f} {moment}")
                lines["pod_memory_working_set_bytes"].append(f"{{{labels}}} {pod_memory} {moment}")
            cpu, memory = cpu + pod_cpu, memory + pod_memory
        self._counters = {run: counter for run, counter in self._counters.items() if run in seen}
        own = psutil.Process(os.getpid())
        cpu += sum(own.cpu_times()[:2])
        lines["node_cpu_usage_seconds_total"].append(f" {self._node.count(cpu):.6f} {moment}")
        lines["node_memory_working_set_bytes"].append(f" {memory + own.memory_info().rss} {moment}")
        lines["resource_scrape_error"].append(" 0")
        return _exposition(lines)


def _container(
    lines: dict[str, list[str]], labels: str, container: Container, cpu: float, memory: int, moment: int
) -> None:
    assert container.process
    started = parse_time(container.process.started[:26] + "Z").timestamp()
    lines["container_cpu_usage_seconds_total"].append(f"{{{labels}}} {cpu:.6f} {moment}")
    lines["container_memory_working_set_bytes"].append(f"{{{labels}}} {memory} {moment}")
    lines["container_start_time_seconds"].append(f"{{{labels}}} {started:.6f}")


def _exposition(lines: dict[str, list[str]]) -> str:
    out = []
    for name, (kind, text) in HELP.items():
        if lines[name]:
            out += [f"# HELP {name} [STABLE] {text}", f"# TYPE {name} {kind}"]
            out += [name + line for line in lines[name]]
    return "\n".join(out) + "\n"
