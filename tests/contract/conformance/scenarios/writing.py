# SPDX-License-Identifier: GPL-3.0-or-later
"""Optimistic locking, generations, patches, dry runs and deletion."""

from __future__ import annotations

import time
from functools import partial

from ..scenario import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Kube, scenario
from .shapes import config_map, container, deployment, pod, replica_set, service


@scenario
def conflicts(k: Kube) -> None:
    first = k.create("configmaps", config_map(a="1")).body
    k.create("configmaps", config_map(a="1"))
    k.put("configmaps", "m", config_map(a="2"))
    k.put("configmaps", "m", first)
    stale = first["metadata"]["resourceVersion"]
    k.patch("configmaps", "m", {"metadata": {"resourceVersion": stale}, "data": {"a": "3"}})
    k.patch("configmaps", "m", {"metadata": {"resourceVersion": stale}, "data": {"a": "3"}}, STRATEGIC_PATCH)
    k.patch("configmaps", "m", [{"op": "test", "path": "/metadata/resourceVersion", "value": stale}], JSON_PATCH)
    current = k.get("configmaps", "m").body
    k.patch(
        "configmaps", "m", {"metadata": {"resourceVersion": current["metadata"]["resourceVersion"]}, "data": {"b": "3"}}
    )
    k.patch("configmaps", "m", {"data": {"b": "3"}})
    k.put("configmaps", "m", {**config_map(a="9"), "metadata": {"name": "m", "resourceVersion": "0"}})
    k.put("configmaps", "m", {**config_map(a="9"), "metadata": {"name": "m", "resourceVersion": "abc"}})
    k.put("configmaps", "m", {**config_map(a="9"), "metadata": {"name": "other"}})
    k.put("configmaps", "m", {**config_map(a="9"), "metadata": {"name": "m", "namespace": "other"}})
    k.put("configmaps", "m", {**config_map(a="9"), "metadata": {"name": "m", "uid": "a-b-c"}})
    k.put("configmaps", "m", {**config_map(a="9"), "metadata": {}})
    k.put(
        "configmaps",
        "m",
        {**config_map(a="9"), "metadata": {"name": "m", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9}},
    )
    k.delete("configmaps", "m", {"preconditions": {"uid": "a-b-c"}})
    k.delete("configmaps", "m", {"preconditions": {"resourceVersion": stale}})
    k.delete(
        "configmaps",
        "m",
        {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": first["metadata"]["uid"]}},
    )
    k.get("configmaps", "m")


@scenario
def generations(k: Kube) -> None:
    def view(body: dict) -> dict:  # type: ignore[type-arg]
        return {
            "metadata": body.get("metadata"),
            "replicas": body.get("spec", {}).get("replicas"),
            "status": body.get("status"),
        }

    made = k.create("apps/replicasets", replica_set(), view=lambda body: body["metadata"]).body
    k.create("services", service(), record=False)
    k.patch("services", "s", {"metadata": {"labels": {"a": "b"}}})
    k.patch("services", "s", {"spec": {"selector": {"a": "b"}}})
    k.create("pods", pod())
    k.patch("pods", "p", {"status": {"phase": "Running"}})
    k.patch(
        "pods", "p", {"status": {"phase": "Running", "message": "x"}, "metadata": {"labels": {"a": "b"}}}, sub="status"
    )
    k.patch("pods", "p", {"spec": {"activeDeadlineSeconds": 5}}, sub="status")
    k.get("pods", "p", "status")
    k.put("pods", "p", {**k.see("pods", "p"), "status": {"phase": "Failed"}})
    k.patch("pods", "p", {"spec": {"activeDeadlineSeconds": 500}})
    k.create(
        "networking/ingresses",
        {"metadata": {"name": "i"}, "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
    )
    k.patch("networking/ingresses", "i", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}})
    k.patch("networking/ingresses", "i", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, sub="status")
    assert made


@scenario
def scaling(k: Kube) -> None:
    k.create(
        "apps/deployments",
        deployment(
            selector={
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["b", "a"]}],
            }
        ),
        record=False,
    )
    k.until("seen", lambda: k.see("apps/deployments", "web").get("status", {}).get("observedGeneration"))
    at = ("apps/deployments", "web")
    scale = k.get(*at, "scale").body
    k.put(*at, {**scale, "spec": {"replicas": 2}}, "scale")
    k.put(*at, {**scale, "spec": {"replicas": 3}}, "scale")
    k.patch(*at, {"spec": {"replicas": 4}}, sub="scale")
    k.patch(*at, {"spec": {"replicas": 5}}, STRATEGIC_PATCH, sub="scale")
    k.patch(*at, [{"op": "replace", "path": "/spec/replicas", "value": 6}], JSON_PATCH, sub="scale")
    k.patch(*at, {"spec": {"replicas": -1}}, sub="scale")
    k.patch(*at, {"spec": {"replicas": "x"}}, sub="scale")
    k.patch(*at, {"spec": {"replicas": None}}, sub="scale")
    k.patch(
        *at,
        {"metadata": {"resourceVersion": scale["metadata"]["resourceVersion"]}, "spec": {"replicas": 1}},
        sub="scale",
    )
    k.patch(*at, {"spec": {"replicas": 9}}, sub="scale", query={"dryRun": "All"})
    k.put(*at, {"metadata": {"name": "web"}, "spec": {"replicas": 2}}, "scale")
    k.put(*at, {"metadata": {"name": "other"}, "spec": {"replicas": 2}}, "scale")
    k.put(
        *at,
        {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web"}, "spec": {"replicas": 2}},
        "scale",
    )
    k.get(*at, view=lambda body: [body["spec"]["replicas"], body["metadata"]["generation"]])
    k.create("apps/replicasets", replica_set(), record=False)
    k.patch(
        "apps/replicasets", "rs", {"spec": {"replicas": 0}}, sub="scale", view=lambda body: {**body, "status": None}
    )


@scenario
def patch_types(k: Kube) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]
    k.create(
        "apps/deployments",
        deployment(
            template={
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [container(env=env, ports=[{"containerPort": 80}]), container(name="d")],
                    "volumes": [{"name": "v", "emptyDir": {}}],
                },
            }
        ),
    )

    def still(body: dict) -> object:  # type: ignore[type-arg]
        """Without what the controllers write meanwhile."""
        if body["kind"] == "Status":
            return body
        return {**body, "status": None, "metadata": {**body["metadata"], "resourceVersion": None}}

    def of(patch: object) -> dict:  # type: ignore[type-arg]
        return {"spec": {"template": {"spec": patch}}}

    def strategic(patch: object) -> None:
        k.patch(
            "apps/deployments",
            "web",
            of(patch),
            STRATEGIC_PATCH,
            view=lambda body: body.get("spec", {}).get("template", body),
        )

    strategic({"containers": [{"name": "c", "image": "x:2"}]})
    strategic({"containers": [{"name": "c", "env": [{"name": "B", "$patch": "delete"}, {"name": "D", "value": "4"}]}]})
    strategic(
        {
            "$setElementOrder/containers": [{"name": "d"}, {"name": "c"}],
            "containers": [
                {
                    "name": "c",
                    "env": [{"name": "E", "value": "5"}],
                    "$setElementOrder/env": [{"name": "E"}, {"name": "A"}, {"name": "C"}, {"name": "D"}],
                }
            ],
        }
    )
    strategic({"containers": [{"name": "e", "image": "new:1"}]})
    strategic({"containers": [{"name": "c", "ports": [{"containerPort": 81, "name": "x"}]}]})
    strategic({"containers": [{"name": "c", "env": [{"$patch": "replace"}, {"name": "Z", "value": "9"}]}]})
    strategic({"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "x"}}]})
    strategic({"containers": [{"name": "c", "command": ["a", "b"], "resources": {"limits": {"cpu": "1"}}}]})
    strategic(
        {
            "containers": [
                {"name": "c", "command": ["z"], "resources": {"$patch": "replace", "limits": {"memory": "1Gi"}}}
            ]
        }
    )
    strategic({"containers": [{"name": "c", "env": None, "resources": None, "command": None}]})
    strategic({"containers": [{"name": "d", "$patch": "delete"}, {"name": "e", "$patch": "delete"}]})
    strategic({"nodeSelector": {"a": "b"}, "imagePullSecrets": [{"name": "one"}]})
    strategic({"nodeSelector": {"a": None, "c": "d"}, "imagePullSecrets": [{"name": "two"}]})
    strategic({"tolerations": [{"key": "a", "operator": "Exists"}]})
    strategic({"tolerations": [{"key": "b", "operator": "Exists"}]})
    strategic({"volumes": None})
    strategic({"containers": [{"name": "c", "$patch": "frobnicate"}]})
    k.patch("apps/deployments", "web", {"metadata": {"finalizers": ["x.example/one"]}}, STRATEGIC_PATCH, view=still)
    k.patch("apps/deployments", "web", {"metadata": {"finalizers": ["x.example/two"]}}, STRATEGIC_PATCH, view=still)
    k.patch(
        "apps/deployments",
        "web",
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x.example/one"]}},
        STRATEGIC_PATCH,
        view=still,
    )
    k.patch("apps/deployments", "web", {"metadata": {"finalizers": None}}, view=still)
    k.patch("apps/deployments", "web", of({"containers": [{"name": "c", "image": "x:3"}]}), MERGE_PATCH, view=still)
    k.patch("apps/deployments", "web", {"metadata": {"annotations": {"a": "1", "b": None}}}, view=still)
    k.patch("apps/deployments", "web", {"metadata": {"annotations": {"a": None}}}, view=still)
    k.patch(
        "apps/deployments",
        "web",
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
        STRATEGIC_PATCH,
        view=still,
    )
    k.patch("apps/deployments", "web", {"spec": {"strategy": {"type": "RollingUpdate"}}}, MERGE_PATCH, view=still)
    k.patch(
        "apps/deployments",
        "web",
        [
            {"op": "add", "path": "/metadata/labels", "value": {"x": "y"}},
            {"op": "copy", "from": "/metadata/labels/x", "path": "/metadata/labels/z"},
            {"op": "move", "from": "/metadata/labels/x", "path": "/metadata/labels/w"},
            {"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "n", "image": "n:1"}},
            {"op": "remove", "path": "/spec/template/spec/containers/0"},
        ],
        JSON_PATCH,
        view=still,
    )
    k.patch(
        "apps/deployments",
        "web",
        [{"op": "add", "path": "/metadata/annotations/a~1b~0c", "value": "1"}],
        JSON_PATCH,
        view=still,
    )
    k.create("services", service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}]), record=False)
    k.patch("services", "s", {"spec": {"ports": [{"port": 81, "targetPort": 8181}]}}, STRATEGIC_PATCH)
    k.patch("services", "s", {"spec": {"ports": [{"port": 80, "$patch": "delete"}]}}, STRATEGIC_PATCH)
    k.create("configmaps", config_map(a="1"), record=False)
    k.patch("configmaps", "m", {"data": None})
    k.patch("configmaps", "m", {"data": {"x": "1"}, "$patch": "replace"}, STRATEGIC_PATCH)
    k.patch("configmaps", "m", {"$patch": "delete"}, STRATEGIC_PATCH)


@scenario
def dry_runs(k: Kube) -> None:
    dry = {"dryRun": "All"}
    k.create("configmaps", config_map(a="1"), query=dry)
    k.get("configmaps", "m")
    k.create("configmaps", config_map(a="1"))
    k.create("configmaps", config_map(a="1"), query=dry)
    k.create("configmaps", {"metadata": {"generateName": "g-"}}, query=dry)
    k.put("configmaps", "m", config_map(a="2"), query=dry)
    k.patch("configmaps", "m", {"data": {"a": "3"}}, query=dry)
    k.delete("configmaps", "m", query=dry)
    k.delete("configmaps", "m", {"dryRun": ["All"]})
    k.delete("configmaps", query=dry, view=lambda body: body["kind"])
    k.get("configmaps", "m")
    k.create("configmaps", config_map("n"), query={"dryRun": "Some"})
    k.delete("configmaps", "m", query={"dryRun": "Some"})
    k.patch("configmaps", "m", {"data": {"a": "3"}}, query={"dryRun": "Some"})
    k.create("apps/deployments", deployment(), query=dry)
    k.create("services", service(), query=dry)
    k.create("pods", pod(), query=dry)


@scenario
def deletions(k: Kube) -> None:
    k.create("configmaps", config_map(), record=False)
    k.delete("configmaps", "m")
    for resource, body in (
        ("services", service("x")),
        ("secrets", {"metadata": {"name": "x"}}),
        ("serviceaccounts", {"metadata": {"name": "x"}}),
        ("apps/replicasets", replica_set("x")),
        ("apps/deployments", deployment("x")),
        ("pods", pod("x")),
    ):
        k.create(resource, body, record=False)
        k.delete(resource, "x", view=lambda body: {**body, "metadata": None} if body["kind"] == "ReplicaSet" else body)
    k.create("pods", pod("now"), record=False)
    k.delete("pods", "now", query={"gracePeriodSeconds": "0"})
    k.create("pods", pod("held", nodeName="no-such-node"), record=False)
    k.delete("pods", "held", query={"gracePeriodSeconds": "-1"})
    k.delete("pods", "held", query={"gracePeriodSeconds": "x"})
    k.delete("pods", "held", query={"propagationPolicy": "Sideways"})
    k.delete("pods", "held", {"propagationPolicy": "Sideways"})
    k.delete("pods", "held", {"orphanDependents": True, "propagationPolicy": "Orphan"})
    k.delete("pods", "held", {"gracePeriodSeconds": "x"})
    k.delete("pods", "held", b"{")
    k.delete("pods", "held", {"kind": "ConfigMap", "apiVersion": "v1"})
    finalized = config_map("f")
    finalized["metadata"]["finalizers"] = ["example.com/hold"]
    k.create("configmaps", finalized)
    k.delete("configmaps", "f")
    k.delete("configmaps", "f")
    k.patch("configmaps", "f", {"data": {"still": "here"}})
    k.patch("configmaps", "f", {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}})
    k.create("configmaps", config_map("f"))
    k.patch("configmaps", "f", {"metadata": {"finalizers": None}})
    k.get("configmaps", "f")
    bad = config_map("bad")
    bad["metadata"]["finalizers"] = ["plain"]
    k.create("configmaps", bad)
    for name in ("a1", "a2", "b1"):
        labelled = config_map(name)
        labelled["metadata"]["labels"] = {"set": name[0]}
        k.create("configmaps", labelled, record=False)
    k.delete("configmaps", query={"labelSelector": "set=a"})
    k.get("configmaps", query={"labelSelector": "set"})
    k.delete("configmaps", query={"fieldSelector": "metadata.name=b1"})
    k.send("DELETE", k.path("services"), view=lambda body: body["kind"])


@scenario
def owners(k: Kube) -> None:
    def owned(name: str, owner: dict, **more: object) -> dict:  # type: ignore[type-arg]
        reference = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            **more,
        }
        return {"metadata": {"name": name, "ownerReferences": [reference]}}

    def gone(name: str) -> bool:
        return k.get("configmaps", name, record=False).code == 404

    for policy in ("Background", "Foreground", "Orphan"):
        owner = k.create("configmaps", config_map(f"owner-{policy.lower()}"), record=False).body
        k.create("configmaps", owned(f"child-{policy.lower()}", owner, blockOwnerDeletion=True))
        time.sleep(1.0)  # until the collector knows of it
        k.delete("configmaps", owner["metadata"]["name"], query={"propagationPolicy": policy})
        k.until("owner gone", partial(gone, owner["metadata"]["name"]))
        if policy != "Orphan":
            k.until("child gone", partial(gone, f"child-{policy.lower()}"))
    k.get("configmaps", "child-orphan")
    k.create(
        "configmaps",
        owned("stray", {"metadata": {"name": "never", "uid": "11111111-2222-3333-4444-555555555555"}}),
        record=False,
    )
    k.until("stray gone", lambda: gone("stray"))
    k.create(
        "configmaps",
        {"metadata": {"name": "bad", "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x"}]}},
    )
    two = [{"apiVersion": "v1", "kind": "ConfigMap", "name": n, "uid": n, "controller": True} for n in ("x", "y")]
    k.create("configmaps", {"metadata": {"name": "bad", "ownerReferences": two}})


@scenario
def namespaces(k: Kube) -> None:
    name = f"{k.namespace}-x"
    at = f"/api/v1/namespaces/{name}"
    k.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    k.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    k.send("POST", f"{at}/configmaps", held, record=False)
    k.send("PATCH", at, {"metadata": {"labels": {"a": "b"}}}, headers={"Content-Type": MERGE_PATCH})
    k.send("DELETE", at)
    k.until("terminating", lambda: k.send("GET", at, record=False).body["status"]["phase"] == "Terminating")
    k.send("POST", f"{at}/configmaps", config_map("late"))
    k.send(
        "PATCH",
        f"{at}/configmaps/late",
        {"data": {}},
        headers={"Content-Type": "application/apply-patch+yaml"},
        query={"fieldManager": "x"},
    )
    k.send(
        "DELETE",
        at,
        view=lambda body: {**body, "status": None, "metadata": {**body["metadata"], "resourceVersion": None}},
    )

    def remaining() -> object:
        conditions = k.send("GET", at, record=False).body["status"].get("conditions", [])
        return [c for c in conditions if c["type"] == "NamespaceFinalizersRemaining" and c["status"] == "True"]

    k.until("conditions", remaining)
    k.send("GET", at, view=lambda body: {**body, "metadata": {**body["metadata"], "resourceVersion": None}})
    k.send(
        "PATCH",
        f"{at}/configmaps/held",
        {"metadata": {"finalizers": None}},
        headers={"Content-Type": MERGE_PATCH},
        view=lambda body: body["kind"],
    )
    k.until("gone", lambda: k.send("GET", at, record=False).code == 404)
    k.send("GET", at)
    k.send("DELETE", "/api/v1/namespaces/default")
    k.send("DELETE", "/api/v1/namespaces/kube-system")
