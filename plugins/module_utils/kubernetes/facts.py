# SPDX-License-Identifier: BSD-2-Clause
"""Reads one workload and what surrounds it, all at the same time; lists are trimmed as they stream."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..core.errors import ReadError, Unexpected
from ..reading import at_once, error_entry
from ..redaction import fingerprint, redact
from .arguments import Settings
from .client import Api

EVENT_SECONDS = 1800
MAX_EVENTS = 20
MAX_PODS = 200
LOGGED_PODS = 3
_WORDS_OF_ERRORS = ("error", "fatal", "exception", "panic", "refused", "timeout", "timed out", "failed")


def read(settings: Settings) -> dict[str, Any]:
    """What the cluster says about the workload; takes about four times ``settings.timeout`` at most.

    :returns: ``api`` (``{"reachable": bool, "server", "error"?, "clock_skew_seconds"}``), ``namespace`` and, if
        reachable, the parts ``deployment``, ``pods``, ``service``, ``hpa``, ``pdb``, ``secret``, ``external_secret``,
        ``events``, ``logs``. A part that could not be read is ``{"error": {"kind", "message", "remedy"}}``; one that is
        not asked for is None.
    :raises ConfigurationError: the client library, the kubeconfig or the context is missing or malformed.
    """
    api: dict[str, Any] = {"reachable": False, "server": None}
    facts: dict[str, Any] = {"api": api, "namespace": settings.namespace}
    try:
        kube = Api(settings)
        api["server"] = kube.server
        api["version"] = str(kube.get("/version").get("gitVersion", ""))
    except ReadError as error:
        api["error"] = error_entry(error)
        return facts
    api["reachable"] = True
    # Ages are judged by the cluster's clock: that of this machine may be wrong.
    now = kube.server_time or time.time()
    api["clock_skew_seconds"] = round(time.time() - now, 1)
    reader = _Reader(kube, settings, now)
    calls: dict[str, Callable[[], Any]] = {
        "deployment": reader.deployment,
        "pods": reader.pods,
        "service": reader.service,
        "hpa": reader.hpa,
        "pdb": reader.pdb,
        "events": reader.events,
    }
    if settings.secret:
        calls["secret"] = reader.secret
    if settings.use_external_secrets:
        calls["external_secret"] = reader.external_secret
    facts.update(at_once(calls, 2 * settings.timeout + 1))
    facts.setdefault("secret", None)
    facts.setdefault("external_secret", None)
    unready = [pod["name"] for pod in facts["pods"].get("unready", [])][:LOGGED_PODS]
    facts["logs"] = at_once({name: partial(reader.log, name) for name in unready}, settings.timeout + 1)
    return facts


class _Reader:
    """The reads of one workload; each method gives one part of the facts or raises a ReadError."""

    def __init__(self, kube: Api, settings: Settings, now: float) -> None:
        self._kube = kube
        self._settings = settings
        self._now = now

    def _path(self, api: str, plural: str, name: str = "") -> str:
        path = f"/{api}/namespaces/{self._settings.namespace}/{plural}"
        return f"{path}/{name}" if name else path

    def _age(self, timestamp: Any) -> float | None:
        try:
            moment = datetime.fromisoformat(str(timestamp).replace("Z", "+00:00"))
        except ValueError:
            return None
        return round(self._now - moment.replace(tzinfo=moment.tzinfo or UTC).timestamp(), 1)

    def deployment(self) -> dict[str, Any]:
        raw = self._kube.get(self._path("apis/apps/v1", "deployments", self._settings.deployment))
        spec, status, meta = _dict(raw, "spec"), _dict(raw, "status"), _dict(raw, "metadata")
        containers = _list(_dict(_dict(spec, "template"), "spec"), "containers")
        return {
            "name": meta.get("name"),
            "desired": spec.get("replicas", 1),
            "replicas": status.get("replicas", 0),
            "ready": status.get("readyReplicas", 0),
            "updated": status.get("updatedReplicas", 0),
            "available": status.get("availableReplicas", 0),
            "unavailable": status.get("unavailableReplicas", 0),
            "paused": spec.get("paused", False),
            "generation": meta.get("generation"),
            "observed_generation": status.get("observedGeneration"),
            "revision": _dict(meta, "annotations").get("deployment.kubernetes.io/revision"),
            "restarted_at": _dict(_dict(_dict(spec, "template"), "metadata"), "annotations").get(
                "kubectl.kubernetes.io/restartedAt"
            ),
            "images": {str(item.get("name")): item.get("image") for item in containers},
            "progress_deadline_seconds": spec.get("progressDeadlineSeconds", 600),
            "conditions": [
                {
                    "type": condition.get("type"),
                    "status": condition.get("status"),
                    "reason": condition.get("reason"),
                    "message": str(condition.get("message", ""))[:200],
                    "seconds": self._age(condition.get("lastUpdateTime")),
                }
                for condition in _list(status, "conditions")
            ],
        }

    def pods(self) -> dict[str, Any]:
        """Counts over all pods of the selector; the pods themselves up to a limit, the not ready ones first."""
        ready: list[dict[str, Any]] = []
        unready: list[dict[str, Any]] = []
        total = ready_count = restarts = 0
        for raw in self._kube.items(self._path("api/v1", "pods"), {"labelSelector": self._settings.selector}):
            pod = self._pod(raw)
            if pod["phase"] in ("Succeeded", "Failed") and pod["finished"]:
                continue  # finished or evicted pods are history
            total += 1
            restarts += pod["restarts"]
            ready_count += pod["ready"]
            kept = ready if pod["ready"] else unready
            if len(kept) < MAX_PODS:
                kept.append(pod)
        return {
            "total": total,
            "ready_count": ready_count,
            "restarts": restarts,
            "unready": unready,
            "ready": ready[: max(0, MAX_PODS - len(unready))],
            "truncated": total > MAX_PODS,
        }

    def _pod(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        meta, spec, status = _dict(raw, "metadata"), _dict(raw, "spec"), _dict(raw, "status")
        conditions = {str(item.get("type")): item for item in _list(status, "conditions")}
        states = [*_list(status, "initContainerStatuses"), *_list(status, "containerStatuses")]
        waiting = [_dict(_dict(state, "state"), "waiting") for state in states]
        current = [_dict(_dict(state, "state"), "terminated") for state in states]
        last = [_dict(_dict(state, "lastState"), "terminated") for state in states]
        ended = [item for item in (*current, *last) if item]
        scheduled = conditions.get("PodScheduled", {})
        restarts = [state.get("restartCount", 0) for state in states]
        return {
            "name": meta.get("name"),
            "phase": status.get("phase"),
            "finished": bool(current) and all(current),
            "reason": status.get("reason"),
            "ready": conditions.get("Ready", {}).get("status") == "True",
            "ready_seconds": self._age(conditions.get("Ready", {}).get("lastTransitionTime")),
            "deleting": "deletionTimestamp" in meta,
            "restarts": sum(count for count in restarts if isinstance(count, int)),
            "waiting": next((item.get("reason") for item in waiting if item.get("reason")), None),
            "unschedulable": scheduled.get("message") if scheduled.get("status") == "False" else None,
            "last_termination": {
                "reason": ended[0].get("reason"),
                "exit_code": ended[0].get("exitCode"),
                "seconds_ago": self._age(ended[0].get("finishedAt")),
            }
            if ended
            else None,
            "age_seconds": self._age(meta.get("creationTimestamp")),
            "node": spec.get("nodeName"),
            "ip": status.get("podIP"),
        }

    def service(self) -> dict[str, Any]:
        name = self._settings.service
        raw = self._kube.get(self._path("api/v1", "services", name))
        ready = unready = 0
        query = {"labelSelector": f"kubernetes.io/service-name={name}"}
        for piece in self._kube.items(self._path("apis/discovery.k8s.io/v1", "endpointslices"), query):
            for endpoint in _list(piece, "endpoints"):
                addresses = len(_values(endpoint, "addresses"))
                # A missing condition counts as ready: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices
                if _dict(endpoint, "conditions").get("ready") in (True, None):
                    ready += addresses
                else:
                    unready += addresses
        return {
            "name": name,
            "selector": dict(_dict(_dict(raw, "spec"), "selector")),
            "endpoints_ready": ready,
            "endpoints_not_ready": unready,
        }

    def hpa(self) -> dict[str, Any]:
        raw = self._kube.get(self._path("apis/autoscaling/v2", "horizontalpodautoscalers", self._settings.hpa))
        spec, status = _dict(raw, "spec"), _dict(raw, "status")
        return {
            "name": self._settings.hpa,
            "target": _dict(spec, "scaleTargetRef").get("name"),
            "minimum": spec.get("minReplicas", 1),
            "maximum": spec.get("maxReplicas"),
            "current": status.get("currentReplicas"),
            "desired": status.get("desiredReplicas"),
            "conditions": [
                {key: condition.get(key) for key in ("type", "status", "reason")}
                for condition in _list(status, "conditions")
            ],
        }

    def pdb(self) -> dict[str, Any]:
        raw = self._kube.get(self._path("apis/policy/v1", "poddisruptionbudgets", self._settings.pdb))
        spec, status = _dict(raw, "spec"), _dict(raw, "status")
        return {
            "name": self._settings.pdb,
            "min_available": spec.get("minAvailable"),
            "max_unavailable": spec.get("maxUnavailable"),
            "expected": status.get("expectedPods"),
            "healthy": status.get("currentHealthy"),
            "required": status.get("desiredHealthy"),
            "disruptions_allowed": status.get("disruptionsAllowed"),
        }

    def secret(self) -> dict[str, Any]:
        """Host, port and user in clear; the password as a fingerprint only."""
        settings = self._settings
        raw = self._kube.get(self._path("api/v1", "secrets", settings.secret))
        data = _dict(raw, "data")

        def value(key: str) -> str | None:
            try:
                return base64.b64decode(str(data[key]), validate=True).decode() if key in data else None
            except ValueError:
                raise Unexpected(f"key {key} is not base64 text", where=f"secret {settings.secret}") from None

        password = value(settings.secret_password_key)
        return {
            "name": settings.secret,
            "fields": sorted(map(str, data)),
            "host": value(settings.secret_host_key),
            "port": value(settings.secret_port_key),
            "user": value(settings.secret_user_key),
            "password_set": bool(password),
            "password_fingerprint": fingerprint(settings.salt, password) if settings.salt and password else None,
            "owners": [str(owner.get("kind")) for owner in _list(_dict(raw, "metadata"), "ownerReferences")],
        }

    def external_secret(self) -> dict[str, Any]:
        name = self._settings.external_secret
        raw = self._kube.get(self._path("apis/external-secrets.io/v1beta1", "externalsecrets", name))
        status = _dict(raw, "status")
        conditions = {str(item.get("type")): item for item in _list(status, "conditions")}
        return {
            "name": name,
            "target": _dict(_dict(raw, "spec"), "target").get("name"),
            "ready": conditions.get("Ready", {}).get("status") == "True",
            "refreshed_seconds": self._age(status.get("refreshTime")),
        }

    def events(self) -> list[dict[str, Any]]:
        """Warnings of the last 30 minutes, one entry a reason and kind, the most frequent first."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for raw in self._kube.items(self._path("api/v1", "events"), {"fieldSelector": "type=Warning"}):
            series = _dict(raw, "series")
            moments = (
                series.get("lastObservedTime"),
                raw.get("lastTimestamp"),
                raw.get("eventTime"),
                _dict(raw, "metadata").get("creationTimestamp"),
            )
            age = next((self._age(moment) for moment in moments if moment), None)
            if raw.get("type") != "Warning" or age is None or age > EVENT_SECONDS:
                continue
            involved = _dict(raw, "involvedObject")
            entry = found.setdefault(
                (str(raw.get("reason")), str(involved.get("kind"))),
                {
                    "reason": str(raw.get("reason")),
                    "kind": str(involved.get("kind")),
                    "count": 0,
                    "newest_seconds_ago": age,
                    "object": involved.get("name"),
                    "message": redact(str(raw.get("message", "")), 200),
                },
            )
            count = series.get("count") or raw.get("count") or 1
            entry["count"] += count if isinstance(count, int) else 1
            if age <= entry["newest_seconds_ago"]:
                entry |= {
                    "newest_seconds_ago": age,
                    "object": involved.get("name"),
                    "message": redact(str(raw.get("message", "")), 200),
                }
        return sorted(found.values(), key=lambda entry: -int(entry["count"]))[:MAX_EVENTS]

    def log(self, pod: str) -> list[str]:
        """The last lines that speak of an error; the last lines of all if none does."""
        query = {"tailLines": 200, "limitBytes": 65536}
        body = self._kube.get_bytes(f"{self._path('api/v1', 'pods', pod)}/log", query)
        lines = [line for line in body.decode(errors="replace").splitlines() if line.strip()]
        telling = [line for line in lines if any(word in line.lower() for word in _WORDS_OF_ERRORS)]
        return [redact(line) for line in (telling or lines)[-self._settings.log_lines :]]


def _dict(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping ``key``; an absent one, or one of another type, is empty: the judgement misses what it needs."""
    found = parent.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [item for item in _values(parent, key) if isinstance(item, Mapping)]


def _values(parent: Mapping[str, Any], key: str) -> list[Any]:
    found = parent.get(key)
    return found if isinstance(found, list) else []
