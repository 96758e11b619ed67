# SPDX-License-Identifier: GPL-3.0-or-later
"""What people type after options, as values: variables and durations."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from ..errors import UsageError

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
VARIABLE = "-e"


def variables(given: Sequence[str]) -> dict[str, Any]:
    """``key=value`` (a text, as Ansible reads it; several in one when quoted) or a JSON object; later ones win.

    :raises UsageError: one is neither.
    """
    found: dict[str, Any] = {}
    for text in given:
        found.update(_object(text) if text.lstrip().startswith("{") else _pairs(text))
    return found


def _object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not JSON ({error})", where=VARIABLE, remedy="-e '{\"key\": value}'") from None
    return dict(content)


def _pairs(text: str) -> dict[str, str]:
    if text.startswith("@"):
        raise UsageError(
            f"{text!r}: files of variables are not read", where=VARIABLE, remedy="put them into an inventory: -i <file>"
        )
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}", where=VARIABLE, remedy="-e key=value") from None
    pairs = [word.partition("=") for word in words]
    for key, sign, _value in pairs:
        if not sign or not key.isidentifier():
            raise UsageError(f"{text!r} is not key=value", where=VARIABLE, remedy="-e key=value")
    if not pairs:
        raise UsageError("is empty", where=VARIABLE, remedy="-e key=value")
    return {key: value for key, _sign, value in pairs}


def duration(text: str | None) -> float | None:
    """``90``, ``90s``, ``10m``, ``1h30m`` in seconds.

    :raises UsageError: it is no duration above 0.
    """
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip().lower())
    hours, minutes, seconds = found.groups() if found else (None, None, None)
    total = 3600 * float(hours or 0) + 60 * float(minutes or 0) + float(seconds or 0)
    if not total > 0:
        raise UsageError(f"{text!r} is no duration", where="--timeout", remedy="--timeout 90s, 10m or 1h30m")
    return total
