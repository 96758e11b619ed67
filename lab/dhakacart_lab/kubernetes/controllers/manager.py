# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the controllers: each change queues the objects it concerns; nothing is polled."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import time
from collections.abc import Callable

from ..errors import ApiError
from ..kinds import EVENT, KINDS, NODE, POD, parse_time
from ..metrics.api import MetricsApi
from ..metrics.samples import Samples
from ..registry import Registry
from ..store import Change
from .autoscaler import Autoscaler
from .base import Controller, Key, Recorder
from .deployment import DeploymentController
from .disruption import Disruption
from .endpoints import EndpointsController
from .garbage import GarbageCollector
from .namespaces import NamespaceController
from .nodes import NodeLifecycle, TaintEviction
from .replicaset import ReplicaSetController
from .scheduler import Scheduler

LOG = logging.getLogger(__name__)
RETRY = 1.0  # seconds after a refused write
SWEEP = 60.0  # seconds between the removals of old events
EVENT_LIFE = 3600.0  # seconds, as kube-apiserver's --event-ttl


class Manager:
    """One queue for all controllers: in one process and one thread, none sees a stale object."""

    def __init__(self, registry: Registry, measured: MetricsApi | None = None) -> None:
        self._registry = registry
        metrics = measured or MetricsApi(Samples(), lambda: registry.store.all(POD), lambda: registry.store.all(NODE))
        recorder = Recorder(registry)
        kinds: tuple[Callable[[Registry, Recorder], Controller], ...] = (
            NamespaceController,
            GarbageCollector,
            DeploymentController,
            ReplicaSetController,
            Scheduler,
            EndpointsController,
            Disruption,
            lambda registry, recorder: Autoscaler(registry, recorder, metrics),
            NodeLifecycle,
            TaintEviction,
        )
        self._controllers = [kind(registry, recorder) for kind in kinds]
        self._queue: dict[tuple[int, Key], None] = {}
        self._timers: list[tuple[float, int, Key]] = []
        self._due: dict[tuple[int, Key], float] = {}  # the one timer of an entry that counts
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        store = self._registry.store
        for controller in self._controllers:
            controller.prepare()
        for kind in KINDS:
            for obj in store.all(kind):
                self._seen(Change(0, "ADDED", kind, obj, None))
        unsubscribe = store.subscribe(self._seen)
        sweep = time.monotonic()
        try:
            while True:
                now = time.monotonic()
                while self._timers and self._timers[0][0] <= now:
                    due, index, key = heapq.heappop(self._timers)
                    if self._due.get((index, key)) == due:
                        self._queue[index, key] = None
                if now >= sweep:
                    self._remove_old_events()
                    sweep = now + SWEEP
                if self._queue:
                    self._step()
                    await asyncio.sleep(0)
                    continue
                self._wake.clear()
                next_timer = min(self._timers[0][0], sweep) if self._timers else sweep
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), max(0.0, next_timer - now))
        finally:
            unsubscribe()

    def _seen(self, change: Change) -> None:
        for index, controller in enumerate(self._controllers):
            for key in controller.keys(change):
                self._queue[index, key] = None
        if self._queue:
            self._wake.set()

    def _step(self) -> None:
        index, key = entry = next(iter(self._queue))
        del self._queue[entry]
        controller = self._controllers[index]
        try:
            again = controller.reconcile(key)
        except ApiError as error:
            LOG.warning("%s %s: %s", type(controller).__name__, "/".join(key), error)
            again = RETRY
        except (KeyError, TypeError, ValueError, AttributeError):
            # an object of a shape no check foresaw must not end the other controllers' work.
            LOG.exception("%s %s", type(controller).__name__, "/".join(key))
            again = None
        self._due.pop(entry, None)
        if again is not None:
            self._due[entry] = due = time.monotonic() + again
            heapq.heappush(self._timers, (due, index, key))

    def _remove_old_events(self) -> None:
        for event in self._registry.store.all(EVENT):
            last = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
            if time.time() - parse_time(last).timestamp() > EVENT_LIFE:
                self._registry.delete(EVENT, event["metadata"]["namespace"], event["metadata"]["name"])
