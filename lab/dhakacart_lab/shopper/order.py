# SPDX-License-Identifier: GPL-3.0-or-later
"""One order, placed over HTTP: the steps, and how an answer is judged."""

from __future__ import annotations

import http.client
import json
import random
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from .attempt import Attempt, Outcome

PRODUCTS = 50
# Customers 1…20 exist. A probe must not empty the cart of a shopper.
SHOPPERS = range(1, 17)
PROBES = range(17, 21)
GATEWAY_TIMEOUT = 504


def steps(attempt_id: str, product: int) -> list[tuple[str, dict[str, Any]]]:
    """Path and JSON body of the two POSTs that make an order."""
    return [
        ("/api/cart", {"product_id": product, "quantity": 1}),
        ("/api/cart/orders", {"shipping_address": {"attempt": attempt_id, "city": "Dhaka"}}),
    ]


class Order:
    """An attempt under way; ``answered``, ``silent`` and ``unreachable`` end it with an Attempt."""

    def __init__(self, user: int) -> None:
        self.id = uuid.uuid4().hex
        self.user = user
        self.started = time.time()
        self.steps = steps(self.id, random.randint(1, PRODUCTS))

    def answered(self, status: int, body: bytes) -> Attempt | None:
        """The shop's answer to a step: None when the order is not placed yet and nothing is wrong."""
        if status != 201:
            outcome = Outcome.UNKNOWN if status == GATEWAY_TIMEOUT else Outcome.FAILED
            return self._end(outcome, status, error=_error_in(body) or f"HTTP {status}")
        number = _field(body, "order_number")
        return self._end(Outcome.ACKNOWLEDGED, status, number=number) if number else None

    def silent(self, seconds: float) -> Attempt:
        return self._end(Outcome.UNKNOWN, error=f"no answer within {seconds:g} s")

    def unreachable(self, error: Exception) -> Attempt:
        return self._end(Outcome.FAILED, error=f"{type(error).__name__}: {error}")

    def refused(self, why: str) -> Attempt:
        return self._end(Outcome.FAILED, error=why)

    def _end(
        self, outcome: Outcome, status: int | None = None, *, number: str | None = None, error: str | None = None
    ) -> Attempt:
        return Attempt(self.id, self.user, self.started, time.time(), outcome, status, number, error)


def place_order(base_url: str, timeout: float) -> Attempt:
    """Place one order and wait for its end, ``timeout`` seconds a step; no exception for anything the shop does."""
    order = Order(random.choice(PROBES))
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    headers = {"content-type": "application/json", "x-user-id": str(order.user)}
    try:
        for path, body in order.steps:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            if attempt := order.answered(response.status, response.read()):
                return attempt
        return order.refused("the shop's answer holds no order number")
    except TimeoutError:
        return order.silent(timeout)
    except (OSError, http.client.HTTPException) as error:
        return order.unreachable(error)
    finally:
        connection.close()


def _field(body: bytes, name: str) -> str | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def _error_in(body: bytes) -> str | None:
    return _field(body, "error")
