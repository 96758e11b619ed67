# SPDX-License-Identifier: GPL-3.0-or-later
"""The Prometheus metrics of the backend, with the platform's names, labels and buckets."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

PREFIX = "dhakacart_backend"
BUCKETS = (0.1, 0.3, 0.5, 0.7, 1, 3, 5, 7, 10)


class Metrics:
    """One registry a process; every duration is in seconds."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(namespace=PREFIX, registry=self._registry)
        self.request_duration = self._histogram(
            "http_request_duration_seconds", "Duration of HTTP requests", ("method", "route", "status_code")
        )
        self.requests = self._counter("http_requests", "HTTP requests", ("method", "route", "status_code"))
        self.active = self._gauge("active_connections", "HTTP requests in flight")
        self.query_duration = self._histogram(
            "database_query_duration_seconds", "Duration of database queries", ("query_type",)
        )
        self.products_viewed = self._counter("products_viewed", "Products viewed")
        self.errors = self._counter("api_errors", "API errors", ("error_type", "endpoint"))
        # The default Node.js metric that dashboards use; here it is the lag of this process's own event loop.
        self.loop_lag = self._gauge("nodejs_eventloop_lag_seconds", "Lag of the event loop")

    def watch_pool(self, total: Callable[[], float], active: Callable[[], float]) -> None:
        """Export the pool's connections: ``total`` open, ``active`` lent out; both are asked at each scrape.

        The platform wires these gauges before its pool exists, so there they stay 0 for ever. Here they are true:
        a runbook must be rehearsed against a metric that can move.
        """
        self._gauge("database_connections_total", "Open database connections").set_function(total)
        self._gauge("database_connections_active", "Database connections in use").set_function(active)

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, text, labels, namespace=PREFIX, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, namespace=PREFIX, registry=self._registry)

    def _histogram(self, name: str, text: str, labels: tuple[str, ...]) -> Histogram:
        return Histogram(name, text, labels, namespace=PREFIX, registry=self._registry, buckets=BUCKETS)
