# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases and Events: what a lock and a record are made of."""

from __future__ import annotations

from ..scenario import STRATEGIC_PATCH, Kube, scenario
from .shapes import event, lease, pod


@scenario
def leases(k: Kube) -> None:
    mine = {
        "holderIdentity": "one",
        "leaseDurationSeconds": 30,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:00.123456Z",
        "leaseTransitions": 0,
    }
    first = k.create("coordination/leases", lease(**mine)).body
    k.create("coordination/leases", lease(**{**mine, "holderIdentity": "two"}))
    renewed = {**first, "spec": {**first["spec"], "renewTime": "2026-01-01T00:00:10.000000Z"}}
    k.put("coordination/leases", "lock", renewed)
    k.put("coordination/leases", "lock", {**first, "spec": {**first["spec"], "holderIdentity": "two"}})
    current = k.see("coordination/leases", "lock")
    taken = {**current, "spec": {**current["spec"], "holderIdentity": "two", "leaseTransitions": 1}}
    k.put("coordination/leases", "lock", taken)
    k.patch("coordination/leases", "lock", {"spec": {"renewTime": "2026-01-01T00:00:20.5Z"}})
    k.patch("coordination/leases", "lock", {"spec": {"renewTime": "2026-01-01T00:00:20.123456789Z"}})
    k.patch("coordination/leases", "lock", {"spec": {"renewTime": "2026-01-01T06:00:20.000000+06:00"}}, STRATEGIC_PATCH)
    k.patch("coordination/leases", "lock", {"spec": {"renewTime": None, "holderIdentity": ""}})
    k.patch("coordination/leases", "lock", {"spec": {"holderIdentity": None}})
    k.put("coordination/leases", "none", lease("none", **mine))
    k.delete(
        "coordination/leases", "lock", {"preconditions": {"resourceVersion": first["metadata"]["resourceVersion"]}}
    )
    k.delete("coordination/leases", "lock", {"preconditions": {"uid": first["metadata"]["uid"]}})
    k.get("coordination/leases")


@scenario
def events(k: Kube) -> None:
    k.create("pods", pod(), record=False)
    whole = {
        "reason": "Tested",
        "message": "A test.",
        "type": "Normal",
        "source": {"component": "tester"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 1,
    }
    k.create("events", event("plain", k.namespace, **whole))
    k.create("events", event("bare", k.namespace))
    k.create("events", event("elsewhere", "another", **whole))
    k.create("events", event("nowhere", "", **whole))
    k.create("events", event("odd", k.namespace, **{**whole, "type": "Odd"}))
    k.create("events", {"metadata": {"name": "empty"}})
    modern = {
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "action": "Testing",
        "reportingComponent": "example.com/tester",
        "reportingInstance": "tester-1",
        "reason": "Tested",
        "type": "Normal",
    }
    k.create("events", event("modern", k.namespace, **modern))
    k.create("events", event("untimely", k.namespace, **{**modern, "action": ""}))
    k.create("events", event("unreported", k.namespace, **{**modern, "reportingComponent": ""}))
    k.create(
        "events",
        event("series", k.namespace, **modern, series={"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}),
    )
    k.patch("events", "plain", {"count": 2, "lastTimestamp": "2026-01-01T00:00:05Z"}, STRATEGIC_PATCH)
    k.patch("events", "modern", {"series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:03.000000Z"}})
    k.get(
        "events",
        query={"fieldSelector": "involvedObject.name=p,reason=Tested,type=Normal"},
        view=lambda body: len(body["items"]),
    )
    k.get("events/events", "plain")
    k.get("events/events", "modern")
    k.get(
        "events/events",
        query={"fieldSelector": "reason=Tested"},
        view=lambda body: [body["kind"], body["apiVersion"], len(body.get("items", ()))],
    )
    k.create(
        "events/events",
        {
            "metadata": {"name": "new"},
            "regarding": {"kind": "Pod", "name": "p", "namespace": k.namespace},
            "note": "A note.",
            **{("reportingController" if key == "reportingComponent" else key): value for key, value in modern.items()},
        },
    )
    k.get("events", "new")
    k.create(
        "events/events",
        {"metadata": {"name": "late"}, "regarding": {"kind": "Pod", "name": "p", "namespace": k.namespace}},
    )
