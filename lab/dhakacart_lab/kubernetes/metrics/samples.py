# SPDX-License-Identifier: GPL-3.0-or-later
"""The last two scrapes of each node, and the use that lies between them, as the metrics server of Kubernetes has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LINE = re.compile(r"(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?")
LABEL = re.compile(r'(\w+)="([^"]*)"')
CPU, MEMORY, START = "cpu_usage_seconds_total", "memory_working_set_bytes", "start_time_seconds"
ContainerKey = tuple[str, str, str]  # namespace, pod, container


@dataclass
class Point:
    """One reading. ``moment`` and ``started``: seconds since the epoch; ``cpu``: seconds; ``memory``: bytes."""

    moment: float = 0.0
    cpu: float | None = None
    memory: int | None = None
    started: float = 0.0

    @property
    def whole(self) -> bool:
        return self.cpu is not None and self.memory is not None


@dataclass(frozen=True)
class Used:
    """``cpu``: cores, on average over the ``window`` (seconds) that ended at ``moment``; ``memory``: bytes then."""

    cpu: float
    memory: int
    moment: float
    window: float


@dataclass
class Scrape:
    """What one node said at one time."""

    node: Point = field(default_factory=Point)
    containers: dict[ContainerKey, Point] = field(default_factory=dict)


def parse(text: str) -> Scrape:
    """Read the metrics of ``/metrics/resource``; names that are not asked for are passed over."""
    found = Scrape()
    for line in text.splitlines():
        match = None if line.startswith("#") else LINE.fullmatch(line.strip())
        if match is None:
            continue
        name, labelled, value, stamp = match.groups()
        owner, _, what = name.partition("_")
        if owner == "node":
            point = found.node
        elif owner == "container":
            labels = dict(LABEL.findall(labelled or ""))
            key = (labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
            point = found.containers.setdefault(key, Point())
        else:
            continue
        _fill(point, what, float(value), float(stamp or 0) / 1000)
    found.containers = {key: point for key, point in found.containers.items() if point.whole}
    return found


def _fill(point: Point, what: str, value: float, moment: float) -> None:
    if what == CPU:
        point.cpu, point.moment = value, moment
    elif what == MEMORY:
        point.memory = int(value)
    elif what == START:
        point.started = value


class Samples:
    """All nodes."""

    def __init__(self) -> None:
        self._last: dict[str, Scrape] = {}
        self._previous: dict[str, Scrape] = {}

    def add(self, node: str, scrape: Scrape) -> None:
        """A scrape of the same moment as the last changes nothing."""
        last = self._last.get(node)
        if last and scrape.node.moment <= last.node.moment:
            return
        if last:
            self._previous[node] = last
        self._last[node] = scrape

    def forget(self, node: str) -> None:
        """The node did not answer: nothing is known of it, as of its pods."""
        self._last.pop(node, None)
        self._previous.pop(node, None)

    def nodes(self) -> set[str]:
        return set(self._last)

    def node(self, name: str) -> Used | None:
        """None until there are two scrapes."""
        last, previous = self._last.get(name), self._previous.get(name)
        return _between(last.node, previous.node) if last and previous else None

    def pod(self, node: str, namespace: str, pod: str) -> dict[str, Used] | None:
        """The use of each container; None until all of them were seen twice in the same run."""
        last, previous = self._last.get(node), self._previous.get(node)
        if not last or not previous:
            return None
        found: dict[str, Used] = {}
        for key, point in last.containers.items():
            if key[:2] != (namespace, pod):
                continue
            before = previous.containers.get(key)
            if before is None or point.started >= before.moment or (used := _between(point, before)) is None:
                return None  # it was started in between
            found[key[2]] = used
        return found or None


def _between(last: Point, previous: Point) -> Used | None:
    window = last.moment - previous.moment
    if last.cpu is None or last.memory is None or previous.cpu is None or window <= 0 or last.cpu < previous.cpu:
        return None
    return Used((last.cpu - previous.cpu) / window, last.memory, last.moment, window)
