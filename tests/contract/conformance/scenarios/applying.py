# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply and the record of who owns which field."""

from __future__ import annotations

from ..scenario import JSON_PATCH, MERGE_PATCH, NOTHING, Kube, scenario
from .shapes import config_map, container, deployment, service

APP = "apps/deployments"


def typed(**spec: object) -> dict:  # type: ignore[type-arg]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@scenario
def apply_config_maps(k: Kube) -> None:
    k.hidden = NOTHING
    k.apply("configmaps", "m", config_map(a="1", b="2"))
    k.apply("configmaps", "m", config_map(a="1", b="2"))
    k.apply("configmaps", "m", config_map(a="1"))
    k.apply("configmaps", "m", config_map(a="9"), "two")
    k.apply("configmaps", "m", config_map(a="9"), "two", query={"force": "true"})
    k.apply("configmaps", "m", config_map(a="9", c="3"), "one")
    k.apply("configmaps", "m", config_map(c="3"), "one")
    k.apply("configmaps", "m", config_map(), "two")
    k.patch("configmaps", "m", {"data": {"d": "4"}}, query={"fieldManager": "editor"})
    k.apply("configmaps", "m", config_map(d="5"), "one")
    k.apply("configmaps", "m", config_map(d="5"), "one", query={"force": "true", "dryRun": "All"})
    k.get("configmaps", "m")
    k.put("configmaps", "m", config_map(z="1"), query={"fieldManager": "replacer"})
    k.apply("configmaps", "m", config_map())
    k.send("DELETE", k.path("configmaps", "m"))


@scenario
def apply_refusals(k: Kube) -> None:
    k.patch("configmaps", "m", config_map(a="1"), "application/apply-patch+yaml")
    k.apply("configmaps", "m", {"kind": "ConfigMap", "metadata": {"name": "m"}})
    k.apply("configmaps", "m", {"apiVersion": "v1", "metadata": {"name": "m"}})
    k.apply("configmaps", "m", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "m"}})
    k.apply("configmaps", "m", config_map("other"))
    k.apply("configmaps", "m", {**config_map(), "metadata": {"name": "m", "resourceVersion": "5"}})
    k.apply("configmaps", "m", {**config_map(), "metadata": {"name": "m", "managedFields": [{"manager": "x"}]}})
    k.apply("configmaps", "m", {**config_map(), "metadata": {"name": "m", "uid": "1-2-3"}})
    k.apply("configmaps", "m", config_map(a="1") | {"colour": "red"})
    k.apply("configmaps", "m", {**config_map(), "data": {"a": 1}})
    k.patch("configmaps", "m", config_map(), MERGE_PATCH, query={"force": "true"})
    k.apply(APP, "web", typed(replicas="x"))
    k.apply(APP, "web", typed(replicas=1))
    k.send(
        "PATCH",
        k.path("configmaps", "yes-man"),
        b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yes-man\ndata:\n  a: '1'\n",
        headers={"Content-Type": "application/apply-patch+yaml"},
        query={"fieldManager": "yaml"},
    )
    k.create("configmaps", config_map("long"), query={"fieldManager": "x" * 129})


@scenario
def apply_deployments(k: Kube) -> None:
    k.hidden = NOTHING

    def declared(body: dict) -> object:  # type: ignore[type-arg]
        """Without what the controllers write meanwhile."""
        if body["kind"] != "Deployment":
            return body
        meta = {**body["metadata"], "resourceVersion": None}
        meta["managedFields"] = [
            entry for entry in meta.get("managedFields", ()) if entry.get("subresource") != "status"
        ]
        return {**body, "metadata": meta, "status": None}

    def pods(*containers: dict, labels: dict | None = None) -> dict:  # type: ignore[type-arg]
        return {"metadata": {"labels": labels or {"app": "web"}}, "spec": {"containers": list(containers)}}

    chosen = {"matchLabels": {"app": "web"}}
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    full = container(
        env=env, ports=[{"containerPort": 80}], command=["a", "b"], resources={"requests": {"cpu": "100m"}}
    )
    k.apply(APP, "web", typed(paused=True, replicas=2, selector=chosen, template=pods(full)), view=declared)
    k.apply(
        APP,
        "web",
        typed(paused=True, selector=chosen, template=pods({**full, "env": env[:1], "command": ["a"]})),
        view=declared,
    )
    k.apply(APP, "web", typed(template=pods({"name": "c", "env": [{"name": "C", "value": "3"}]})), "two", view=declared)
    k.apply(APP, "web", typed(template=pods({"name": "c", "image": "other:2"})), "two", view=declared)
    k.apply(
        APP,
        "web",
        typed(template=pods({"name": "c", "image": "other:2"}, {"name": "side", "image": "s:1"})),
        "two",
        query={"force": "true"},
        view=declared,
    )
    k.apply(APP, "web", typed(template=pods({"name": "c", "image": "other:2"})), "two", view=declared)
    k.apply(APP, "web", typed(replicas=5), "scaler", view=declared)
    k.patch(APP, "web", {"spec": {"replicas": 6}}, query={"fieldManager": "kubectl-scale"}, sub="scale", view=declared)
    k.apply(APP, "web", typed(replicas=7), "scaler", view=declared)
    k.apply(APP, "web", typed(template=pods(container(name="x"), container(name="x"))), "three", view=declared)
    k.patch(
        APP,
        "web",
        [{"op": "remove", "path": "/spec/template/spec/containers/0/env"}],
        JSON_PATCH,
        query={"fieldManager": "jp"},
        view=declared,
    )
    k.get(APP, "web", view=declared)


@scenario
def managed_fields(k: Kube) -> None:
    k.hidden = NOTHING

    def asked(body: dict) -> object:  # type: ignore[type-arg]
        """The owners that this scenario made."""
        return [entry for entry in body["metadata"]["managedFields"] if entry["manager"] in ("maker", "statuses")]

    k.create("configmaps", config_map(a="1"), query={"fieldManager": "maker"})
    k.patch(
        "configmaps", "m", {"data": {"b": "1"}, "metadata": {"labels": {"x": "y"}}}, query={"fieldManager": "maker"}
    )
    k.patch("configmaps", "m", {"data": {"b": "2"}}, query={"fieldManager": "other"})
    k.put("configmaps", "m", config_map(a="1", b="3"), query={"fieldManager": "third"})
    k.patch("configmaps", "m", {"metadata": {"managedFields": [{}]}})
    k.apply("configmaps", "m", config_map(a="7"))
    k.create("configmaps", config_map("agent"), headers={"User-Agent": "tester/1.2 (linux)"})
    k.create(APP, deployment(), query={"fieldManager": "maker"})
    k.patch(
        APP,
        "web",
        {"status": {"replicas": 3}},
        sub="status",
        query={"fieldManager": "statuses"},
        view=asked,
    )
    k.create("services", service(ports=[{"name": "a", "port": 80}]), query={"fieldManager": "maker"})
    k.create("secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}}, query={"fieldManager": "maker"})
