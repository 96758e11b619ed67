# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts, step by step. There is no kubelet: the scenario itself says which pods are ready."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from ..scenario import JSON_PATCH, Kube, Object, scenario
from .shapes import deployment, template

APP, SETS = "apps/deployments", "apps/replicasets"
REVISION, CAUSE = "deployment.kubernetes.io/revision", "kubernetes.io/change-cause"
QUIET = 0.8  # seconds without a change, after which the controllers are done
COUNTS = (
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "observedGeneration",
)


def sets(k: Kube) -> list[Object]:
    found: list[Object] = k.see(SETS)["items"]
    return sorted(found, key=lambda item: int(item["metadata"]["annotations"][REVISION]))


def state(k: Kube, name: str = "web") -> Object:
    """What can be told apart of a rollout, without names that are hashes and without times."""
    found = k.see(APP, name)
    status = found.get("status", {})
    conditions = {c["type"]: [c["status"], c["reason"], c["message"]] for c in status.get("conditions", [])}
    listed = [
        {
            "revision": item["metadata"]["annotations"][REVISION],
            "cause": item["metadata"]["annotations"].get(CAUSE),
            "history": item["metadata"]["annotations"].get("deployment.kubernetes.io/revision-history"),
            "sizes": [
                item["metadata"]["annotations"].get(f"deployment.kubernetes.io/{n}")
                for n in ("desired-replicas", "max-replicas")
            ],
            "replicas": item["spec"]["replicas"],
            "status": {key: item["status"].get(key) for key in ("replicas", "readyReplicas", "availableReplicas")},
        }
        for item in sets(k)
    ]
    seen = {
        "revision": found["metadata"].get("annotations", {}).get(REVISION),
        "generation": found["metadata"]["generation"],
        "status": {key: status.get(key) for key in COUNTS},
        "conditions": conditions,
        "sets": listed,
    }
    text = json.dumps(seen)
    for item in sets(k):
        number = item["metadata"]["annotations"][REVISION]
        text = text.replace(item["metadata"]["name"], f"{name}-<hash of {number}>")
    result: Object = json.loads(re.sub(r"web-[a-z0-9]{5,10}", "web-<hash>", text))
    return result


def settled(k: Kube, what: str, name: str = "web") -> None:
    """Wait until nothing changes any more, and record how it is then."""
    seen, since, end = state(k, name), time.monotonic(), time.monotonic() + 15
    while time.monotonic() - since < QUIET and time.monotonic() < end:
        time.sleep(0.1)
        if (now := state(k, name)) != seen:
            seen, since = now, time.monotonic()
    k.transcript.note(what, seen)


def ready(k: Kube, count: int = 99, *, image: str = "") -> None:
    """Report pods as running and ready, the oldest first."""
    waiting = [
        pod
        for pod in k.see("pods")["items"]
        if not pod.get("status", {}).get("conditions")
        and "deletionTimestamp" not in pod["metadata"]
        and (not image or pod["spec"]["containers"][0]["image"] == image)
    ]
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": moment}]
    for pod in waiting[:count]:
        status = {"phase": "Running", "conditions": conditions}
        k.patch("pods", pod["metadata"]["name"], {"status": status}, sub="status", record=False)


def image(k: Kube, tag: str, **more: Any) -> None:
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": f"shop/backend:{tag}"}]
    k.patch(APP, "web", patch, JSON_PATCH, record=False, **more)


@scenario
def rolling_update(k: Kube) -> None:
    body = deployment(paused=False, replicas=4, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}})
    body["metadata"]["annotations"] = {CAUSE: "first"}
    k.create(APP, body, record=False)
    settled(k, "created")
    ready(k)
    settled(k, "all ready")
    k.patch(APP, "web", {"metadata": {"annotations": {CAUSE: "second"}}}, record=False)
    image(k, "2.0")
    settled(k, "new image, none of it ready")
    for number in range(1, 5):
        ready(k, 1, image="shop/backend:2.0")
        settled(k, f"{number} more ready")
    ready(k)
    settled(k, "all new")
    k.patch(APP, "web", {"spec": {"paused": True}}, record=False)
    image(k, "3.0")
    settled(k, "paused with a change")
    k.patch(APP, "web", {"spec": {"replicas": 2}}, sub="scale", record=False)
    settled(k, "scaled while paused")
    k.patch(APP, "web", {"spec": {"paused": False}}, record=False)
    settled(k, "resumed")
    ready(k)
    settled(k, "after some are ready")
    ready(k)
    settled(k, "after all are ready")
    image(k, "1.0")
    settled(k, "back to the first template")
    ready(k)
    settled(k, "back, some ready")
    ready(k)
    settled(k, "back")


@scenario
def failed_rollout(k: Kube) -> None:
    k.create(APP, deployment(paused=False, replicas=2, progressDeadlineSeconds=3, revisionHistoryLimit=1), record=False)
    settled(k, "created")
    ready(k)
    settled(k, "ready")
    image(k, "bad")
    k.until("the deadline", lambda: "ProgressDeadlineExceeded" in json.dumps(k.see(APP, "web")["status"]))
    settled(k, "after the deadline")
    k.patch(APP, "web", {"spec": {"replicas": 3}}, sub="scale", record=False)
    settled(k, "scaled while it is stuck")
    image(k, "1.0")
    ready(k)
    settled(k, "undone")
    ready(k)
    settled(k, "undone and ready")
    for tag in ("4.0", "5.0"):
        image(k, tag)
        for _ in range(4):
            time.sleep(0.4)
            ready(k)
    settled(k, "only one old revision is kept")


@scenario
def recreate_and_patience(k: Kube) -> None:
    k.create(APP, deployment(paused=False, replicas=2, strategy={"type": "Recreate"}), record=False)
    settled(k, "created")
    ready(k)
    settled(k, "ready")
    image(k, "2.0")
    settled(k, "the old ones are gone before the new ones come")
    ready(k)
    settled(k, "new ones ready")
    slow = deployment(
        "slow",
        paused=False,
        replicas=1,
        minReadySeconds=3,
        selector={"matchLabels": {"app": "slow"}},
        template=template("slow"),
    )
    k.delete(APP, "web", query={"propagationPolicy": "Foreground"}, record=False)
    k.until("gone", lambda: k.get(APP, "web", record=False).code == 404)
    k.create(APP, slow, record=False)
    settled(k, "slow", "slow")
    ready(k)
    settled(k, "ready, not yet available", "slow")
    k.until("available", lambda: k.see(APP, "slow")["status"].get("availableReplicas"))
    settled(k, "available after its seconds", "slow")
