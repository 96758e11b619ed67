# SPDX-License-Identifier: BSD-2-Clause
"""Reads one Redis server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..core.errors import ReadError, Unexpected
from ..reading import error_entry
from . import client
from .arguments import Settings

_NUMBERS = (
    "uptime_in_seconds",
    "used_memory",
    "maxmemory",
    "total_system_memory",
    "evicted_keys",
    "expired_keys",
    "keyspace_hits",
    "keyspace_misses",
    "connected_clients",
    "blocked_clients",
    "maxclients",
    "rejected_connections",
    "connected_slaves",
    "master_last_io_seconds_ago",
)
_WORDS = ("redis_version", "role", "maxmemory_policy", "master_link_status", "rdb_last_bgsave_status", "loading")


def read(settings: Settings) -> dict[str, Any]:
    """What Redis says; takes about two times ``settings.timeout`` at most.

    :returns: ``endpoint``, ``reachable``, and ``error`` (kind, message, remedy) or ``ping_seconds`` and ``info``, the
        fields of INFO that are judged, numbers as numbers; absent ones are missing.
    :raises ConfigurationError: redis-py or the token file is missing.
    """
    facts: dict[str, Any] = {"endpoint": f"{settings.host}:{settings.port}", "reachable": False}
    try:
        with client.connect(settings) as redis:
            facts["reachable"] = True
            started = time.monotonic()
            answer = redis.info()
            facts["ping_seconds"] = round(time.monotonic() - started, 4)
            if not isinstance(answer, Mapping) or not answer:
                raise Unexpected("INFO gave nothing", where=facts["endpoint"])
            facts["info"] = _trimmed(answer)
    except ReadError as error:
        facts["reachable"] = False
        facts["error"] = error_entry(error)
    return facts


def _trimmed(answer: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: answer[name] for name in _NUMBERS if isinstance(answer.get(name), int | float)}
    return numbers | {name: str(answer[name]) for name in _WORDS if answer.get(name) is not None}
