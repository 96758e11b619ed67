# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend does when its database, its cache or its own pool fails."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dhakacart_lab import process


def test_a_killed_database_makes_it_not_ready_and_it_recovers_by_itself(pod: Any, servers: Any) -> None:
    with ThreadPoolExecutor(8) as crowd:
        assert {reply.status for reply in crowd.map(pod.order, range(1, 9))} == {201}
    node = servers.cluster.primary()
    node.kill()
    try:
        assert pod.seconds_until_ready_is(503, within=3) < 3
        body = pod.get("/ready").body
        assert (body["status"], body["reason"]) == ("not_ready", "database_unavailable")
        assert body["checks"]["database"] == "disconnected"
        assert "Connection refused" in body["error"]
        assert pod.get("/live").status == 200
        assert pod.order(user=1).status == 503
    finally:
        node.start()
    assert pod.seconds_until_ready_is(200, within=3) < 3
    # Every connection of the crowd is dead now; none of them may cost a customer an order.
    with ThreadPoolExecutor(8) as crowd:
        assert {reply.status for reply in crowd.map(pod.order, range(1, 9))} == {201}


def test_a_frozen_database_hangs_nobody(pod: Any, frozen_database: Any) -> None:
    pod.seconds_until_ready_is(503, within=3)
    assert pod.get("/ready").seconds < 3
    with ThreadPoolExecutor(8) as crowd:
        replies = list(crowd.map(pod.order, range(1, 9)))
    assert {reply.status for reply in replies} == {503}
    assert max(reply.seconds for reply in replies) < 5
    frozen_database.primary().thaw()
    pod.seconds_until_ready_is(200, within=6)
    assert pod.order(user=1).status == 201


def test_a_checkout_that_waits_for_a_lock_ends_in_time_and_orders_nothing(pod: Any, servers: Any) -> None:
    orders = "SELECT count(*) FROM orders"
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'dhakacart' AND wait_event_type = 'Lock'"
    with servers.database() as database, servers.database() as other:
        before = other.execute(orders).fetchone()
        with database.transaction():
            database.execute("LOCK products IN ACCESS EXCLUSIVE MODE")
            reply = pod.order(user=7)
            assert (reply.status, reply.body["error"]) == (503, "Database unavailable")
            assert reply.seconds < 5
            assert other.execute(sessions).fetchone() == (0,), "the query was not cancelled in the database"
        assert other.execute(orders).fetchone() == before
    assert pod.order(user=7).status == 201


def test_a_commit_without_an_answer_is_called_unknown(pod: Any, servers: Any) -> None:
    """The synchronous standby is frozen: COMMIT waits for it."""
    standby = servers.cluster.standby()
    standby.freeze()
    try:
        reply = pod.order(user=8)
    finally:
        standby.thaw()
    assert (reply.status, reply.body["error"]) == (504, "The outcome is unknown")
    assert reply.seconds < 5


def test_an_ended_pool_stays_ended_until_a_restart(servers: Any) -> None:
    pod = servers.start_pod(2)
    pod.process.send_signal(signal.SIGUSR2)
    pod.seconds_until_ready_is(503, within=3)
    assert pod.get("/ready").body["error"] == "Cannot use a pool after calling end on the pool"
    assert pod.order(user=9).status == 503
    assert pod.get("/live").status == 200
    pod.process.kill()
    pod.process.wait(timeout=5)
    assert servers.start_pod(2).get("/ready").status == 200


def test_sigterm_finishes_what_is_in_flight_and_ends_soon(servers: Any) -> None:
    pod = servers.start_pod(3)
    with ThreadPoolExecutor(1) as customer, servers.database() as database:
        with database.transaction():
            database.execute("LOCK cart_items IN ACCESS EXCLUSIVE MODE")
            order = customer.submit(pod.order, 10)
            time.sleep(0.3)
            begin = time.monotonic()
            pod.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            ready = pod.get("/ready")
        assert (ready.status, ready.body["reason"]) == (503, "shutting_down")
        assert order.result().status == 201
    assert pod.process.wait(timeout=5) == 0
    assert time.monotonic() - begin < 4


def test_what_is_wrong_with_the_database_at_the_start_is_said_before_exit_1(servers: Any) -> None:
    begin = time.monotonic()
    without = servers.start_pod(4, wait=False, DB_PORT="1")
    stranger = servers.start_pod(6, wait=False, DB_PASSWORD="stale-and-wrong")
    assert without.process.wait(timeout=30) == stranger.process.wait(timeout=30) == 1
    assert 4 < time.monotonic() - begin < 20
    for pod, reason in ((without, "Connection refused"), (stranger, "password authentication failed")):
        last = pod.lines()[-1]
        assert last["message"] == "Failed to initialize database pool, exiting"
        assert reason in last["error"]
    assert "stale-and-wrong" not in stranger.log.read_text(encoding="utf-8")


def test_a_missing_setting_is_named(servers: Any) -> None:
    pod = servers.start_pod(4, wait=False, DB_HOST="")
    assert pod.process.wait(timeout=10) == 1
    assert "DB_HOST is not set" in pod.log.read_text(encoding="utf-8")


def test_without_redis_it_serves_from_the_database(servers: Any) -> None:
    pod = servers.start_pod(5, REDIS_PORT="1")
    assert pod.get("/ready").status == 200
    assert pod.get("/api/products").body["count"] == 50
    assert pod.order(user=11).status == 201
    health = pod.get("/health")
    assert (health.status, health.body["status"]) == (503, "unhealthy")
    assert health.body["checks"]["redis"]["status"] == "unhealthy"
    pod.process.kill()


def test_a_frozen_redis_costs_a_second_once_and_is_used_again_when_it_answers(servers: Any) -> None:
    pod = servers.start_pod(7)
    servers.cache.freeze()
    try:
        assert pod.get("/api/products").status == 200
        quick = pod.get("/api/products")
        assert (quick.status, quick.seconds < 0.5) == (200, True)
        assert pod.order(user=12).status == 201
        assert pod.get("/ready").status == 200
        assert pod.get("/health").body["checks"]["redis"]["status"] == "unhealthy"
    finally:
        servers.cache.thaw()
    begin = time.monotonic()
    process.wait_for("Redis again", lambda: pod.get("/health").status == 200, timeout=5, interval=0.2)
    assert time.monotonic() - begin < 5
    pod.process.kill()
