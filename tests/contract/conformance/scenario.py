# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario: requests in their order, each recorded with its answer. It runs against any API server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from .transcript import Normaliser, Transcript
from .wire import Answer, Query, Wire

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MANAGED = frozenset({"managedFields"})
NOTHING: frozenset[str] = frozenset()
Object = dict[str, Any]
PREFIXES = {
    "": "/api/v1",
    "apps": "/apis/apps/v1",
    "autoscaling": "/apis/autoscaling/v2",
    "policy": "/apis/policy/v1",
    "networking": "/apis/networking.k8s.io/v1",
    "coordination": "/apis/coordination.k8s.io/v1",
    "discovery": "/apis/discovery.k8s.io/v1",
    "events": "/apis/events.k8s.io/v1",
    "rbac": "/apis/rbac.authorization.k8s.io/v1",
    "batch": "/apis/batch/v1",
}


class Kube:
    """What a scenario acts with: an API server, a namespace of its own, and the transcript."""

    def __init__(self, wire: Wire, reader: Wire, namespace: str) -> None:
        self.wire, self.reader, self.namespace = wire, reader, namespace
        self.nobody, self.stranger = wire.known_as(""), wire.known_as("not-a-token-of-anybody")
        self.transcript = Transcript(Normaliser(namespace, wire.netloc))
        self.hidden = MANAGED

    def path(self, resource: str, name: str = "", sub: str = "", *, namespace: str | None = None) -> str:
        """``apps/deployments`` or ``configmaps``, in the scenario's namespace; none for namespace ""."""
        group, _, plural = resource.rpartition("/")
        home = self.namespace if namespace is None else namespace
        parts = [PREFIXES[group], *(["namespaces", home] if home else []), plural, name, sub]
        return "/".join(part for part in parts if part)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
        wire: Wire | None = None,
        view: Callable[[Any], Any] | None = None,
        record: bool = True,
    ) -> Answer:
        """One request. ``view`` chooses what of the answer's body is recorded, where controllers write beside us."""
        answer = (wire or self.wire).send(method, path, body, query=query, headers=headers)
        if record:
            asked = urlencode(dict(query or {}), doseq=True)
            self.transcript.add(f"{method} {path}{'?' if asked else ''}{asked}", answer, self.hidden, view)
        return answer

    def create(self, resource: str, body: Object, **more: Any) -> Answer:
        return self.send("POST", self.path(resource), body, **more)

    def get(self, resource: str, name: str = "", sub: str = "", **more: Any) -> Answer:
        return self.send("GET", self.path(resource, name, sub), **more)

    def put(self, resource: str, name: str, body: Object, sub: str = "", **more: Any) -> Answer:
        return self.send("PUT", self.path(resource, name, sub), body, **more)

    def delete(self, resource: str, name: str = "", body: Any = None, **more: Any) -> Answer:
        return self.send("DELETE", self.path(resource, name), body, **more)

    def patch(
        self, resource: str, name: str, body: Any, content_type: str = MERGE_PATCH, sub: str = "", **more: Any
    ) -> Answer:
        headers = {"Content-Type": content_type, **more.pop("headers", {})}
        return self.send("PATCH", self.path(resource, name, sub), body, headers=headers, **more)

    def apply(self, resource: str, name: str, body: Object, manager: str = "one", sub: str = "", **more: Any) -> Answer:
        query = {"fieldManager": manager, **more.pop("query", {})}
        return self.patch(resource, name, body, APPLY, sub, query=query, **more)

    def watch(self, resource: str, query: Query, *, name: str = "", record: bool = True) -> list[Object]:
        """The events of a watch that the server ends, by ``timeoutSeconds``."""
        path = self.path(resource)
        events = list(self.wire.watch(path, {"timeoutSeconds": "1", **query}))
        if record:
            self.transcript.note(name or f"WATCH {resource} {sorted(query)}", events)
        return events

    @staticmethod
    def until(what: str, probe: Callable[[], Any], *, timeout: float = 25.0) -> Any:
        """The first true answer of ``probe``; AssertionError after ``timeout`` seconds. Nothing is recorded."""
        end = time.monotonic() + timeout
        while not (found := probe()):
            assert time.monotonic() < end, f"{what}: not within {timeout:.0f} s, last {found!r}"
            time.sleep(0.05)
        return found

    def see(self, resource: str, name: str = "", sub: str = "") -> Object:
        """An unrecorded GET."""
        body: Object = self.get(resource, name, sub, record=False).body
        return body


Scenario = Callable[[Kube], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


def namespaced(wire: Wire, reader: Wire) -> Iterator[Kube]:
    """A Kube with a fresh namespace, which is deleted afterwards."""
    name = f"conf-{secrets.token_hex(4)}"
    kube = Kube(wire, reader, name)
    made = wire.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert made.code == 201, made.body
    kube.until("the default account", lambda: kube.get("serviceaccounts", "default", record=False).code == 200)
    kube.until("the root certificate", lambda: kube.get("configmaps", "kube-root-ca.crt", record=False).code == 200)
    try:
        yield kube
    finally:
        wire.send("DELETE", f"/api/v1/namespaces/{name}")


def run(name: str, wire: Wire, reader: Wire) -> list[Object]:
    """The transcript of a scenario."""
    for kube in namespaced(wire, reader):
        SCENARIOS[name](kube)
        return kube.transcript.steps
    raise AssertionError("no namespace")
