# SPDX-License-Identifier: GPL-3.0-or-later
"""events.k8s.io/v1: the same events under the names of the newer group. It can be read and written to, not watched."""

from __future__ import annotations

from ..kinds import Kind, Obj

MODERN = Kind("events.k8s.io", "v1", "Event", "events", True, ("ev",))
# What a field of the core group is called in the newer one; the others have the same name.
NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
CORE_NAMES = {new: old for old, new in NAMES.items()}


def modern(event: Obj) -> Obj:
    """A core/v1 Event, or a list of them, as one of the newer group."""
    if "items" in event:
        items = [{NAMES.get(key, key): value for key, value in item.items()} for item in event["items"]]
        return {**event, "apiVersion": MODERN.api_version, "items": items}
    shown = {key: value for key, value in event.items() if value != ""}
    return {NAMES.get(key, key): value for key, value in shown.items()} | {"apiVersion": MODERN.api_version}


def core(event: Obj) -> Obj:
    """The other way."""
    return {CORE_NAMES.get(key, key): value for key, value in event.items()} | {"apiVersion": "v1"}


def problems(event: Obj) -> list[tuple[str, str, str]]:
    """What the newer group asks of a new event beyond the rules of the core group."""
    found: list[tuple[str, str, str]] = []
    if not event.get("eventTime"):
        found.append(("eventTime", "FieldValueRequired", "Required value"))
    kind = event.get("type", "")
    if kind not in ("Normal", "Warning"):
        found.append(("type", "FieldValueInvalid", f'Invalid value: "{kind}": has invalid value: {kind}'))
    return found
