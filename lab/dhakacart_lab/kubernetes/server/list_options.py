# SPDX-License-Identifier: GPL-3.0-or-later
"""Which revision a list or a watch may be asked for."""

from __future__ import annotations

from collections.abc import Mapping

from .options import Problem, refuse

MATCHES = ("Exact", "NotOlderThan")
FIELD = "resourceVersionMatch"


def check(query: Mapping[str, str], *, watching: bool) -> None:
    """ApiError 422 for options of a list or watch that do not go together."""
    match, version, initial = query.get(FIELD, ""), query.get("resourceVersion", ""), query.get("sendInitialEvents")
    problem = _of_watch(match, initial) if watching else _of_list(match, version, query, initial)
    if problem:
        raise refuse("ListOptions", [problem])


def _forbidden(text: str, field: str = FIELD) -> Problem:
    return field, "FieldValueForbidden", f"Forbidden: {text}"


def _unsupported(match: str) -> Problem:
    listed = 'supported values: "Exact", "NotOlderThan", ""'
    return FIELD, "FieldValueNotSupported", f'Unsupported value: "{match}": {listed}'


def _of_list(match: str, version: str, query: Mapping[str, str], initial: str | None) -> Problem | None:
    if initial is not None:
        return _forbidden("sendInitialEvents is forbidden for list", "sendInitialEvents")
    if not match:
        return None
    if not version:
        return _forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided")
    if query.get("continue"):
        return _forbidden("resourceVersionMatch is forbidden when continue is provided")
    if match not in MATCHES:
        return _unsupported(match)
    if match == "Exact" and version == "0":
        return _forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    return None


def _of_watch(match: str, initial: str | None) -> Problem | None:
    if initial is None:
        return (
            _forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
            if match
            else None
        )
    if match != "NotOlderThan":
        return _forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    return None


def not_a_version(text: str) -> str:
    """What the server says of a resourceVersion that is no number."""
    return f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
