# SPDX-License-Identifier: BSD-2-Clause
"""Asks the shop's endpoints, all at the same time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..reading import at_once
from ..redaction import redact
from . import client
from .arguments import Settings


def read(settings: Settings) -> dict[str, Any]:
    """What the shop answers; takes ``settings.timeout`` at most.

    :returns: ``url`` and the parts ``ready``, ``live``, ``health``, ``products``: each ``path`` and ``error`` (kind,
        message, remedy) or ``status``, ``seconds``, ``bytes``, ``json`` (whether it was JSON) and what of it is judged:
        ``state``, ``reason``, ``message``, ``checks``, ``items``. A path that is not asked is None.
    :raises ConfigurationError: the base URL or the CA file is malformed.
    """
    paths = {
        "ready": settings.ready_path,
        "live": settings.live_path,
        "health": settings.health_path,
        "products": settings.products_path,
    }
    calls = {name: partial(_ask, settings, path) for name, path in paths.items() if path}
    answers = at_once(calls, settings.timeout + 1)
    parts = {name: {"path": paths[name], **answer} for name, answer in answers.items()}
    return {"url": settings.url, **dict.fromkeys(paths), **parts}


def _ask(settings: Settings, path: str) -> dict[str, Any]:
    response = client.get(settings, path)
    facts: dict[str, Any] = {
        "status": response.status,
        "seconds": response.seconds,
        "bytes": len(response.body),
        "json": False,
    }
    try:
        answer = json.loads(response.body)
    except ValueError:
        return facts
    facts["json"] = True
    return facts | _trimmed(answer)


def _trimmed(answer: Any) -> dict[str, Any]:
    if isinstance(answer, list):
        return {"items": len(answer)}
    if not isinstance(answer, Mapping):
        return {}
    found: dict[str, Any] = {}
    for name, key in (("state", "status"), ("reason", "reason"), ("message", "error"), ("message", "message")):
        if isinstance(answer.get(key), str) and name not in found:
            found[name] = redact(answer[key])
    for key in ("products", "data", "items"):
        if isinstance(answer.get(key), list):
            found["items"] = len(answer[key])
    if isinstance(answer.get("checks"), Mapping):
        found["checks"] = _checks(answer["checks"])
    return found


def _checks(checks: Mapping[str, Any]) -> dict[str, Any]:
    """``checks`` of /ready and /health: state, message and numbers of each, two levels deep."""
    trimmed: dict[str, Any] = {}
    for name, check in list(checks.items())[:10]:
        if not isinstance(check, Mapping):
            trimmed[str(name)] = _leaf(check)
            continue
        trimmed[str(name)] = {str(key): _leaf(value) for key, value in check.items() if not isinstance(value, Mapping)}
        details = check.get("details")
        if isinstance(details, Mapping):
            trimmed[str(name)]["details"] = {str(key): _leaf(value) for key, value in list(details.items())[:20]}
    return trimmed


def _leaf(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    return redact(str(value), 200)
