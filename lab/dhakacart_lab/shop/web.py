# SPDX-License-Identifier: GPL-3.0-or-later
"""What all routes share: the application's parts, replies, the user, errors and correlation ids."""

from __future__ import annotations

import functools
import json
import logging
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from aiohttp import web
from aiohttp.typedefs import Handler

from .cache import Cache
from .database import Database, DatabaseUnavailable, OutcomeUnknown
from .metrics import Metrics
from .settings import Settings

CORRELATION = "x-correlation-id"
PROBES = frozenset({"/live", "/ready", "/health", "/metrics"})
LARGEST_ID = 2**31 - 1

log = logging.getLogger(__name__)
dumps = functools.partial(json.dumps, default=str)


@dataclass
class Shop:
    """The parts of one backend process."""

    settings: Settings
    database: Database
    cache: Cache
    metrics: Metrics
    started: float  # time.monotonic()
    shutting_down: bool = False


SHOP = web.AppKey("shop", Shop)
CORRELATION_ID = web.RequestKey("correlation_id", str)


class Refused(Exception):
    """A request that cannot be served as it is: an HTTP status and a message for the customer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def reply(body: Any, status: int = 200) -> web.Response:
    """A JSON response; money and times become strings, as node-pg gives them."""
    return web.json_response(body, status=status, dumps=dumps)


def timestamp() -> str:
    """Now, as JavaScript's toISOString writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_of(request: web.Request) -> int:
    """The customer. The header ``x-user-id`` stands in for the platform's JWT; 401 where it is missing or no id."""
    return _number(request.headers.get("x-user-id", ""), 401, "Authentication required")


def positive(value: object, name: str) -> int:
    """A positive whole number of a request's body or path; 400 where it is none."""
    return _number(str(value), 400, f"{name} must be a positive whole number")


def _number(text: str, status: int, message: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= LARGEST_ID:
        return int(text)
    raise Refused(status, message)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object in the request's body; 400 where it is none."""
    try:
        found = await request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "The request body must be a JSON object")
    return found


def route_of(request: web.Request) -> str:
    """The route as Express names it (``/api/products/:id``); unknown paths share one name, or labels would explode."""
    resource = request.match_info.route.resource
    return resource.canonical.replace("{", ":").replace("}", "") if resource else "unmatched"


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Correlation id, errors, metrics and the log line of each request."""
    shop, begin, route = request.app[SHOP], time.perf_counter(), route_of(request)
    request[CORRELATION_ID] = request.headers.get(CORRELATION, "")[:128] or str(uuid.uuid4())
    shop.metrics.active.inc()
    try:
        response = await _answer(request, handler, route)
    finally:
        shop.metrics.active.dec()
    response.headers[CORRELATION] = request[CORRELATION_ID]
    seconds = time.perf_counter() - begin
    labels = (request.method, route, str(response.status))
    shop.metrics.requests.labels(*labels).inc()
    shop.metrics.request_duration.labels(*labels).observe(seconds)
    if request.path not in PROBES:
        log.info("HTTP request", extra={**_about(request), "statusCode": response.status, "responseTime": _ms(seconds)})
    return response


async def _answer(request: web.Request, handler: Handler, route: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as error:
        return _failure(request, route, error.status, str(error), "client_error", None)
    except web.HTTPException as error:
        return _failure(request, route, error.status, error.reason, "client_error", None)
    except DatabaseUnavailable as error:
        return _failure(request, route, 503, "Database unavailable", "database_unavailable", error)
    except OutcomeUnknown as error:
        return _failure(request, route, 504, "The outcome is unknown", "outcome_unknown", error)
    except psycopg.Error as error:
        return _failure(request, route, 500, "Internal server error", "database_error", error)
    except Exception as error:  # the last stop before the customer: logged with its stack, answered with an id
        return _failure(request, route, 500, "Internal server error", "internal_error", error)


def _failure(
    request: web.Request, route: str, status: int, message: str, kind: str, cause: Exception | None
) -> web.Response:
    """An error response; the cause goes to the log under the same error id, never to the customer."""
    error_id = str(uuid.uuid4())
    request.app[SHOP].metrics.errors.labels(kind, route).inc()
    if cause:
        unexpected = status == 500
        log.error(
            message,
            extra={**_about(request), "errorId": error_id, "statusCode": status, "error": " ".join(str(cause).split())},
            exc_info=cause if unexpected else None,
        )
    response = reply({"error": message, "errorId": error_id, "correlationId": request[CORRELATION_ID]}, status)
    response.headers["x-error-id"] = error_id
    return response


def _about(request: web.Request) -> dict[str, object]:
    return {
        "correlationId": request[CORRELATION_ID],
        "userId": request.headers.get("x-user-id"),
        "method": request.method,
        "url": request.path_qs,
        "ip": request.remote,
        "userAgent": request.headers.get("user-agent"),
    }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
