# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's endpoints, headers, metrics and log lines, as the platform has them."""

from __future__ import annotations

import re
from typing import Any


def test_live_says_alive_and_repeats_the_correlation_id(pod: Any) -> None:
    reply = pod.get("/live", headers={"x-correlation-id": "abc"})
    assert reply.status == 200
    assert set(reply.body) == {"status", "timestamp", "correlationId"}
    assert reply.body["status"] == "alive"
    assert reply.body["correlationId"] == reply.headers["x-correlation-id"] == "abc"


def test_ready_says_what_it_looked_at(pod: Any) -> None:
    reply = pod.get("/ready")
    assert reply.status == 200
    assert reply.body.pop("timestamp").endswith("Z")
    assert reply.body == {"status": "ready", "checks": {"database": "connected", "shutdown": False}}


def test_health_has_the_shape_of_the_platform(pod: Any) -> None:
    reply = pod.get("/health")
    assert reply.status == 200
    keys = "status timestamp uptime responseTime version environment correlationId checks"
    assert set(reply.body) == set(keys.split())
    assert set(reply.body["uptime"]) == {"milliseconds", "seconds", "minutes", "hours", "formatted"}
    checks = reply.body["checks"]
    assert set(checks["database"]["details"]) == {
        "query",
        "timestamp",
        "totalConnections",
        "idleConnections",
        "waitingClients",
    }
    assert isinstance(checks["database"]["responseTime"], int)
    assert re.fullmatch(r"\d+ms", checks["redis"]["responseTime"])
    memory = checks["memory"]["details"]
    assert 20 < memory["totalMB"] < memory["limitMB"] == 512
    assert memory["rss"] > memory["heapUsed"] > 0


def test_health_is_limited_to_60_a_minute_per_client(servers: Any) -> None:
    pod = servers.start_pod(1)
    statuses = [pod.get("/health").status for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert int(pod.get("/health").headers["retry-after"]) <= 60
    assert pod.get("/ready").status == 200
    pod.process.kill()


def test_a_checkout_makes_one_order_and_takes_the_stock(pod: Any, servers: Any) -> None:
    stock = "SELECT stock_quantity FROM products WHERE id = 7"
    with servers.database() as database:
        before = database.execute(stock).fetchone()[0]
        reply = pod.order(user=1)
        assert reply.status == 201
        assert re.fullmatch(r"ORD-\d{8}-\d{6}", reply.body["order_number"])
        assert database.execute(stock).fetchone()[0] == before - 2
        total = database.execute(
            "SELECT sum(i.total_price)::text FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.id = %s",
            [reply.body["id"]],
        ).fetchone()[0]
    assert reply.body["total"] == total
    shown = pod.get(f"/api/cart/orders/{reply.body['order_number']}", headers={"x-user-id": "1"})
    assert shown.body["order"]["items"][0]["quantity"] == 2
    assert pod.get(f"/api/cart/orders/{reply.body['order_number']}", headers={"x-user-id": "2"}).status == 404


def test_a_repeated_checkout_finds_the_cart_empty(pod: Any) -> None:
    assert pod.order(user=2).status == 201
    again = pod.post("/api/cart/orders", None, 2)
    assert (again.status, again.body["error"]) == (400, "Cart is empty")


def test_what_is_not_in_stock_is_refused_and_stays_in_the_cart(pod: Any, servers: Any) -> None:
    with servers.database() as database:
        database.execute("UPDATE products SET stock_quantity = 1 WHERE id = 9")
        try:
            pod.post("/api/cart", {"product_id": 9, "quantity": 2}, 3)
            reply = pod.post("/api/cart/orders", None, 3)
            assert (reply.status, reply.body["error"]) == (409, "Insufficient stock for Product 9")
            left = database.execute("SELECT quantity FROM cart_items WHERE user_id = 3").fetchall()
            assert left == [(2,)]
        finally:
            database.execute("UPDATE products SET stock_quantity = 1000000 WHERE id = 9")
    assert pod.get("/api/cart", headers={"x-user-id": "3"}).body["items"][0]["quantity"] == 2


def test_products_and_carts_are_cached_with_the_platforms_keys(pod: Any, servers: Any) -> None:
    assert pod.get("/api/products").body["count"] == 50
    assert pod.get("/api/products/5").body["product"]["id"] == 5
    pod.get("/api/cart", headers={"x-user-id": "4"})
    with servers.redis() as cache:
        for key, seconds in {"cache:products:all": 300, "cache:product:5": 300, "cache:cart:4": 1800}.items():
            assert seconds - 60 < cache.ttl(key) <= seconds


def test_bad_requests_get_a_reason_and_an_error_id(pod: Any) -> None:
    cases = [
        (pod.post("/api/cart", {"product_id": 1}), 401),
        (pod.post("/api/cart", {"product_id": 1}, 999_999), 401),
        (pod.post("/api/cart", {"product_id": "1; drop table orders"}, 5), 400),
        (pod.post("/api/cart", {"product_id": 1, "quantity": -1}, 5), 400),
        (pod.post("/api/cart", ["no object"], 5), 400),
        (pod.post("/api/cart", {"product_id": 4000}, 5), 404),
        (pod.get("/api/products/99999999999999999999"), 400),
        (pod.get("/api/nothing"), 404),
    ]
    for reply, status in cases:
        assert reply.status == status
        assert set(reply.body) == {"error", "errorId", "correlationId"}
        assert reply.body["errorId"] == reply.headers["x-error-id"]


def test_metrics_have_the_platforms_names_and_the_pool_gauges_are_true(pod: Any) -> None:
    pod.get("/api/products/3")
    text = pod.get("/metrics").body
    for name in (
        'http_requests_total{method="GET",route="/api/products/:id",status_code="200"}',
        "http_request_duration_seconds_bucket",
        "active_connections",
        "database_query_duration_seconds_count",
        "products_viewed_total",
        "api_errors_total",
        "process_cpu_seconds_total",
        "nodejs_eventloop_lag_seconds",
    ):
        assert f"\ndhakacart_backend_{name}" in text
    assert 'le="2.0"' not in text
    open_connections = re.search(r"\ndhakacart_backend_database_connections_total (\S+)", text)
    assert open_connections and float(open_connections[1]) >= 1


def test_each_request_is_one_json_line_without_a_secret(pod: Any, servers: Any) -> None:
    pod.order(user=6)
    line = next(line for line in reversed(pod.lines()) if line.get("url") == "/api/cart/orders")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line["timestamp"])
    assert (line["level"], line["service"], line["statusCode"]) == ("info", "dhakacart-backend", 201)
    assert (line["userId"], line["method"]) == ("6", "POST")
    log = pod.log.read_text(encoding="utf-8")
    assert servers.environment["DB_PASSWORD"] not in log
    assert servers.environment["REDIS_PASSWORD"] not in log
