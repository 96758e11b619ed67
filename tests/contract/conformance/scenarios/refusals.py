# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server refuses, and in which words."""

from __future__ import annotations

from ..scenario import APPLY, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Kube, scenario
from .shapes import config_map, deployment, pod

BASE = "/api/v1/namespaces"


@scenario
def not_found(k: Kube) -> None:
    k.get("configmaps", "no")
    k.get("apps/deployments", "no")
    k.get("apps/deployments", "no", "scale")
    k.get("apps/deployments", "no", "status")
    k.get("pods", "no", "log")
    k.put("configmaps", "no", config_map("no"))
    k.patch("configmaps", "no", {"data": {"a": "1"}})
    k.patch("apps/deployments", "no", {"spec": {"replicas": 1}}, sub="scale")
    k.delete("configmaps", "no")
    k.send("POST", k.path("pods", "no", "eviction"), {"metadata": {"name": "no"}})
    k.send("GET", k.path("configmaps", namespace="no-such-namespace"), view=lambda body: body.get("items"))
    k.send("GET", k.path("configmaps", "x", namespace="no-such-namespace"))
    k.send("POST", k.path("configmaps", namespace="no-such-namespace"), config_map())
    k.send("GET", "/api/v1/namespaces/no-such-namespace")
    k.send("DELETE", "/api/v1/namespaces/no-such-namespace")
    k.send("GET", "/api/v1/nodes/no-such-node")


@scenario
def paths_that_are_none(k: Kube) -> None:
    k.create("configmaps", config_map())
    k.send("GET", "/api/v1/widgets")
    k.send("GET", k.path("configmaps").replace("configmaps", "widgets"))
    k.send("GET", "/apis/apps/v2/deployments")
    k.send("GET", "/apis/no.such.group/v1")
    k.send("GET", "/apis/no.such.group/v1/things")
    k.send("GET", "/x")
    k.get("configmaps", "m", "status")
    k.get("configmaps", "m", "scale")
    k.get("pods", "p", "scale")
    k.send("GET", "/api/v2")


@scenario
def methods_that_are_not_allowed(k: Kube) -> None:
    k.send("POST", k.path("configmaps", "m"), config_map())
    k.send("PUT", k.path("configmaps"), config_map())
    k.send("PATCH", k.path("configmaps"), {}, headers={"Content-Type": MERGE_PATCH})
    k.send("DELETE", k.path("pods", "p", "eviction"))
    k.send("GET", k.path("pods", "p", "eviction"))
    k.send("POST", k.path("apps/deployments", "d", "scale"), {})
    k.send("DELETE", k.path("apps/deployments", "d", "scale"))
    k.send("DELETE", k.path("apps/deployments", "d", "status"))
    k.send("POST", "/api/v1/configmaps", config_map())
    k.send("DELETE", "/api/v1/configmaps")
    k.send("DELETE", "/api/v1/namespaces", record=True)
    k.send("POST", "/version", {})
    k.send("POST", k.path("pods", "p", "log"), {})


@scenario
def bodies_that_are_none(k: Kube) -> None:
    at = k.path("configmaps")
    k.send("POST", at, b"{")
    k.send("POST", at, b"")
    k.send("POST", at)
    k.send("POST", at, b"[]")
    k.send("POST", at, b"{}")
    k.send("POST", at, b'"text"')
    k.send("POST", at, b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}')
    k.send("POST", at, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}})
    k.send("POST", at, {"apiVersion": "v1", "kind": "Widget", "metadata": {"name": "x"}})
    k.send("POST", at, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}})
    k.send("POST", at, {"metadata": {"name": "untyped"}})
    k.send("POST", at, {"metadata": "x"})
    k.send("POST", at, {"metadata": {"name": 1}})
    k.send("POST", at, {"metadata": {"name": "x", "labels": {"a": 1}}})
    k.send("POST", at, {"metadata": {"name": "x"}, "data": {"a": 1}})
    k.send("POST", at, {"metadata": {"name": "x"}, "data": ["a"]})
    k.send("POST", at, {"metadata": {"name": "x", "resourceVersion": "1"}})
    k.send("POST", at, {"metadata": {"name": "x", "namespace": "another"}})
    k.send("POST", k.path("apps/deployments"), deployment(replicas="three"))
    k.send("POST", k.path("apps/deployments"), deployment(replicas=1.5))
    k.send("POST", k.path("apps/deployments"), deployment(template={"spec": {"containers": "c"}}))
    k.send("POST", k.path("pods"), pod(containers=[{"name": "c", "image": 1}]))
    k.send("POST", k.path("secrets"), {"metadata": {"name": "x"}, "data": {"a": "not base64!"}})


@scenario
def media_types(k: Kube) -> None:
    k.create("configmaps", config_map(a="1"))
    at = k.path("configmaps")
    k.send("POST", at, b"<xml/>", headers={"Content-Type": "application/xml"})
    k.send("POST", at, b"a=1", headers={"Content-Type": "application/x-www-form-urlencoded"})
    k.send("POST", at, b"metadata: {name: yaml}", headers={"Content-Type": "application/yaml"})
    k.send("PATCH", k.path("configmaps", "m"), {"data": {}}, headers={"Content-Type": "application/json"})
    k.send("PATCH", k.path("configmaps", "m"), {"data": {}}, headers={"Content-Type": "text/plain"})
    k.get("configmaps", "m", headers={"Accept": "text/html"})
    k.get("configmaps", "m", headers={"Accept": "application/xml"})
    k.get("configmaps", "m", headers={"Accept": "*/*"})
    k.get("configmaps", "m", headers={"Accept": "application/json;q=0.9, text/plain"})
    k.get("configmaps", "m", headers={"Accept": "application/json;as=Widget;v=v1;g=meta.k8s.io"})
    k.get("configmaps", headers={"Accept": "application/xml"})


@scenario
def patches_that_are_none(k: Kube) -> None:
    k.create("configmaps", config_map(a="1"))
    k.create("apps/deployments", deployment())
    at = k.path("configmaps", "m")
    for content_type in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
        k.send("PATCH", at, b"{", headers={"Content-Type": content_type})
        k.send("PATCH", at, b"", headers={"Content-Type": content_type})
        k.send("PATCH", at, b"[1]", headers={"Content-Type": content_type})
        k.send("PATCH", at, b"{}", headers={"Content-Type": content_type})
    k.send("PATCH", at, b"{", headers={"Content-Type": APPLY}, query={"fieldManager": "x"})
    k.patch("configmaps", "m", [{"op": "replace", "path": "/data/zzz", "value": "1"}], JSON_PATCH)
    k.patch("configmaps", "m", [{"op": "remove", "path": "/data/zzz"}], JSON_PATCH)
    k.patch("configmaps", "m", [{"op": "test", "path": "/data/a", "value": "9"}], JSON_PATCH)
    k.patch("configmaps", "m", [{"op": "test", "path": "/data/zz", "value": "9"}], JSON_PATCH)
    k.patch("configmaps", "m", [{"op": "frobnicate", "path": "/data/a"}], JSON_PATCH)
    k.patch("configmaps", "m", [{"op": "add", "path": "/nowhere/at/all", "value": "1"}], JSON_PATCH)
    k.patch("configmaps", "m", [{"op": "add", "path": "/data/b", "value": 1}], JSON_PATCH)
    k.patch("configmaps", "m", {"data": {"a": 1}})
    k.patch("configmaps", "m", {"data": {"a": 1}}, STRATEGIC_PATCH)
    k.patch("apps/deployments", "web", {"spec": {"replicas": "x"}})
    k.patch("apps/deployments", "web", {"spec": {"replicas": "x"}}, STRATEGIC_PATCH)
    k.patch(
        "apps/deployments", "web", {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, STRATEGIC_PATCH
    )
    k.patch("configmaps", "m", {"metadata": {"name": "other"}})
    k.patch("configmaps", "m", {"metadata": {"namespace": "other"}})
    k.patch("configmaps", "m", {"kind": "Secret"})
    k.patch("configmaps", "m", {"metadata": {"uid": "other"}})
    k.get("configmaps", "m")


@scenario
def access(k: Kube) -> None:
    secret = k.path("secrets", "x")
    k.send("GET", secret, wire=k.stranger)
    k.send("GET", secret, wire=k.nobody)
    k.send("GET", k.path("pods"), wire=k.nobody)
    k.send("GET", "/api/v1/nodes", wire=k.nobody)
    k.send("GET", "/api", wire=k.nobody)
    k.send("GET", "/apis/apps/v1", wire=k.nobody)
    k.send("GET", "/healthz", wire=k.nobody)
    k.send("GET", "/readyz", wire=k.nobody)
    k.send("GET", "/nothing/here", wire=k.nobody)
    k.send("POST", k.path("pods", "p", "eviction"), {"metadata": {"name": "p"}}, wire=k.nobody)
    k.send("GET", secret, wire=k.reader)
    k.send("GET", k.path("secrets"), wire=k.reader)
    k.send("GET", "/api/v1/secrets", wire=k.reader)
    k.send("GET", k.path("configmaps", "x"), wire=k.reader)
    k.send("DELETE", k.path("configmaps", "x"), wire=k.reader)
    k.send("DELETE", k.path("configmaps"), wire=k.reader)
    k.send("POST", k.path("configmaps"), config_map(), wire=k.reader)
    k.send("PUT", k.path("configmaps", "x"), config_map("x"), wire=k.reader)
    k.patch("apps/deployments", "x", {}, sub="scale", wire=k.reader)
    k.send("POST", k.path("pods", "x", "eviction"), {}, wire=k.reader)
    k.send("DELETE", "/api/v1/nodes/n", wire=k.reader)
    k.send("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}}, wire=k.reader)
    k.send("DELETE", f"/api/v1/namespaces/{k.namespace}", wire=k.reader)
    k.send("GET", k.path("secrets"), query={"watch": "true"}, wire=k.reader)
    k.send("GET", "/nothing/here", wire=k.reader)
    k.send("GET", "/api/v1/widgets", wire=k.reader)


@scenario
def too_large(k: Kube) -> None:
    k.create("configmaps", config_map(a="x" * (3 * 1024 * 1024 + 10)))
    k.create(
        "configmaps", config_map(a="x" * (1024 * 1024 + 10)), view=lambda body: body if body["kind"] == "Status" else 0
    )
    k.create(
        "secrets",
        {"metadata": {"name": "s"}, "data": {"a": "eHh4" * (400 * 1024)}},
        view=lambda body: body if body["kind"] == "Status" else 0,
    )


@scenario
def unknown_fields(k: Kube) -> None:
    odd = config_map(a="1") | {"colour": "red"}
    odd["metadata"]["size"] = 3
    for validation in ("Strict", "Warn", "Ignore", "Nonsense"):
        odd["metadata"]["name"] = f"m-{validation.lower()}"
        k.create("configmaps", odd, query={"fieldValidation": validation})
    odd["metadata"]["name"] = "m-default"
    k.create("configmaps", odd)
    wrong = deployment(replica=3)
    wrong["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    k.create("apps/deployments", wrong, query={"fieldValidation": "Strict"})
    k.create("apps/deployments", wrong, query={"fieldValidation": "Warn"})
    k.patch("apps/deployments", "web", {"spec": {"replicass": 1}}, query={"fieldValidation": "Strict"})
    k.patch("apps/deployments", "web", {"spec": {"replicass": 1}}, STRATEGIC_PATCH, query={"fieldValidation": "Strict"})
    k.patch(
        "apps/deployments",
        "web",
        {"spec": {"replicass": 1}},
        query={"fieldValidation": "Warn"},
        view=lambda body: body["spec"],
    )
    k.put("configmaps", "m-default", odd, query={"fieldValidation": "Strict"})
    doubled = b'{"metadata": {"name": "d"}, "data": {"a": "1", "a": "2"}}'
    k.send("POST", k.path("configmaps"), doubled, query={"fieldValidation": "Strict"})
    k.send("POST", k.path("configmaps"), doubled)
