# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists, pages, selectors and watches."""

from __future__ import annotations

from ..scenario import Kube, scenario
from .shapes import config_map, pod


def several(k: Kube, *names: str) -> None:
    for number, name in enumerate(names):
        body = config_map(name, a=str(number))
        body["metadata"]["labels"] = {"set": "x", "number": str(number), **({"even": ""} if number % 2 == 0 else {})}
        k.create("configmaps", body, record=False)


def brief(body: dict) -> object:  # type: ignore[type-arg]
    return (
        {"metadata": body["metadata"], "names": [item["metadata"]["name"] for item in body["items"]]}
        if "items" in body
        else body
    )


@scenario
def lists(k: Kube) -> None:
    several(k, "a", "b")
    k.get("configmaps", query={"labelSelector": "set=x"})
    k.get("configmaps", query={"labelSelector": "none=x"})
    k.get("events", view=lambda body: {"kind": body["kind"], "items": body["items"]})
    k.get("apps/deployments")
    k.send("GET", "/api/v1/configmaps", query={"fieldSelector": f"metadata.namespace={k.namespace},metadata.name=a"})
    k.get("configmaps", query={"labelSelector": "set=x", "pretty": "true"}, view=brief)


@scenario
def pages(k: Kube) -> None:
    several(k, *"abcde")
    chosen = {"labelSelector": "set=x"}
    first = k.get("configmaps", query={"limit": "2"}, view=brief).body
    k.delete("configmaps", "d", record=False)
    several(k, "f")
    second = k.get("configmaps", query={"limit": "2", "continue": first["metadata"]["continue"]}, view=brief).body
    k.get("configmaps", query={"limit": "2", "continue": second["metadata"]["continue"]}, view=brief)
    k.get("configmaps", query={"limit": "2", **chosen}, view=brief)
    k.get("configmaps", query={"limit": "100"}, view=brief)
    k.get("configmaps", query={"limit": "0"}, view=brief)
    k.get("configmaps", query={"limit": "x"})
    k.get("configmaps", query={"limit": "-1"}, view=brief)
    k.get("configmaps", query={"continue": "!!!"})
    k.get("configmaps", query={"continue": "bm90IGpzb24"})
    k.get("configmaps", query={"continue": first["metadata"]["continue"], "resourceVersion": "5"})


@scenario
def revisions(k: Kube) -> None:
    several(k, "a")
    now = k.get("configmaps", view=lambda body: body["kind"]).body["metadata"]["resourceVersion"]
    several(k, "b")
    for query in (
        {"resourceVersion": "0"},
        {"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"},
        {"resourceVersion": now, "resourceVersionMatch": "NotOlderThan"},
        {"resourceVersion": now, "resourceVersionMatch": "Exact"},
        {"resourceVersion": now, "resourceVersionMatch": "Exact", "limit": "1"},
        {"resourceVersion": "0", "resourceVersionMatch": "Exact"},
        {"resourceVersionMatch": "Exact"},
        {"resourceVersionMatch": "Sometimes", "resourceVersion": "1"},
        {"resourceVersion": "abc"},
        {"resourceVersion": "-1"},
    ):
        k.get("configmaps", query=query, view=brief)
    k.get("configmaps", "a", query={"resourceVersion": "0"})
    k.get("configmaps", "a", query={"resourceVersion": "abc"})
    k.get(
        "configmaps",
        query={"resourceVersion": "99999999999"},
        view=lambda body: {**body, "message": body["message"].split(",")[0]},
    )


@scenario
def label_selectors(k: Kube) -> None:
    several(k, *"abcd")
    for selector in (
        "set=x",
        "set==x",
        "set!=x,number",
        "number in (1,2)",
        "number notin (1, 2),set",
        "even",
        "!even,set",
        "even=",
        "number=1,even",
        " number = 1 ",
        "number>1",
        "number<2",
        "set,number in (0)",
        "number in ()",
        "set in x",
        "=x",
        "a b=c",
        "set=x y",
        "number in (1",
        "set=,",
        "-bad=x",
        "set=x,,",
        "(x)",
        "a/b/c=d",
        "number gt 1",
    ):
        k.get("configmaps", query={"labelSelector": selector}, view=brief)


@scenario
def field_selectors(k: Kube) -> None:
    several(k, *"ab")
    k.create("pods", pod(), record=False)
    for resource, selector in (
        ("configmaps", "metadata.name=a"),
        ("configmaps", "metadata.name!=a"),
        ("configmaps", "metadata.name==a"),
        ("configmaps", "data.a=1"),
        ("configmaps", "metadata.name"),
        ("configmaps", "metadata.name=a,metadata.name=b"),
        ("configmaps", "metadata.name>a"),
        ("apps/deployments", "spec.replicas=1"),
        ("pods", "spec.colour=red"),
        ("pods", "status.phase=Pending"),
        ("pods", "spec.nodeName="),
        ("pods", "spec.restartPolicy=Always"),
        ("pods", "spec.schedulerName!=nobody"),
        ("pods", "status.phase!=Pending"),
        ("events", "x=y"),
        ("pods", "spec.hostNetwork=false"),
        ("pods", "status.podIPs=1"),
        ("secrets", "type=Opaque"),
        ("secrets", "x=y"),
        ("services", "spec.type=ClusterIP"),
        ("services", "spec.clusterIP=None"),
        ("apps/replicasets", "status.replicas=0"),
        ("coordination/leases", "x=y"),
        ("policy/poddisruptionbudgets", "x=y"),
        ("autoscaling/horizontalpodautoscalers", "x=y"),
        ("apps/replicasets", "x=y"),
    ):
        k.get(resource, query={"fieldSelector": selector}, view=brief)
    k.send("GET", "/api/v1/nodes", query={"fieldSelector": "x=y"})
    k.send(
        "GET", "/api/v1/namespaces", query={"fieldSelector": "status.phase=Active,metadata.name=default"}, view=brief
    )
    k.send("GET", "/api/v1/namespaces", query={"fieldSelector": "x=y"})
    k.get("configmaps", "a", query={"fieldSelector": "metadata.name=b"})


@scenario
def watches(k: Kube) -> None:
    several(k, "before")
    start = k.see("configmaps")["metadata"]["resourceVersion"]
    only = {"fieldSelector": "metadata.name!=kube-root-ca.crt"}
    several(k, "after")
    k.patch("configmaps", "after", {"data": {"b": "2"}}, record=False)
    k.patch("configmaps", "after", {"metadata": {"labels": {"set": "y"}}}, record=False)
    k.patch("configmaps", "after", {"metadata": {"labels": {"set": "x"}}}, record=False)
    k.delete("configmaps", "after", record=False)
    k.watch("configmaps", {"resourceVersion": start, **only}, name="from a revision")
    k.watch("configmaps", {"resourceVersion": start, "labelSelector": "set=x"}, name="those that match a label")
    k.watch("configmaps", {"resourceVersion": start, "fieldSelector": "metadata.name=before"}, name="one by its name")
    k.watch("configmaps", only, name="from no revision")
    k.watch("configmaps", {"resourceVersion": "0", **only}, name="from revision 0")
    k.watch(
        "configmaps",
        {"resourceVersion": "1", "resourceVersionMatch": "NotOlderThan"},
        name="a match without initial events",
    )
    initial = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    ends = k.watch("configmaps", {**initial, **only}, record=False)
    k.transcript.note(
        "with initial events",
        [[e["type"], e["object"]["metadata"].get("annotations"), sorted(e["object"])] for e in ends[:2]],
    )
    k.watch("configmaps", {"sendInitialEvents": "true", **only}, name="initial events without a match")
    k.watch(
        "configmaps",
        {**initial, "sendInitialEvents": "false", "resourceVersion": start, **only},
        name="without initial events",
    )
    for query in (
        {"resourceVersion": "abc"},
        {"timeoutSeconds": "x"},
        {"fieldSelector": "x=y"},
        {"labelSelector": "a in"},
    ):
        k.get("configmaps", query={"watch": "true", "timeoutSeconds": "1", **query})
    k.get("configmaps", "before", query={"watch": "true", "timeoutSeconds": "1"})
    k.send(
        "GET",
        k.path("configmaps").replace("/api/v1/", "/api/v1/watch/"),
        query={"timeoutSeconds": "1", "resourceVersion": start, "fieldSelector": "metadata.name=before"},
    )


def shown(body: dict) -> object:  # type: ignore[type-arg]
    """A Table without the descriptions of its columns."""
    for column in body.get("columnDefinitions", ()):
        column.pop("description", None)
    return body


@scenario
def other_views(k: Kube) -> None:
    several(k, "a", "b")
    partial = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
    partials = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    as_table = "application/json;as=Table;g=meta.k8s.io;v"
    table = f"{as_table}=v1,{as_table}=v1beta1,application/json"
    chosen = {"labelSelector": "set=x"}
    k.get("configmaps", "a", headers={"Accept": partial})
    k.get("configmaps", query=chosen, headers={"Accept": partials})
    k.get(
        "configmaps",
        headers={"Accept": partials},
        query={"limit": "1"},
        view=lambda body: [body["kind"], body["metadata"]],
    )
    k.get("configmaps", "a", headers={"Accept": partials})
    k.get("configmaps", headers={"Accept": partial}, query=chosen)
    k.get("configmaps", "zz", headers={"Accept": table})
    k.patch("configmaps", "a", {"data": {"x": "1"}}, headers={"Accept": partial})

    def aged(body: dict) -> object:  # type: ignore[type-arg]
        for row in body.get("rows", ()):
            row["cells"] = [
                "<age>" if str(cell).endswith("s") and str(cell)[:-1].isdigit() else cell for cell in row["cells"]
            ]
        return shown(body)

    k.get("configmaps", "a", headers={"Accept": table}, view=aged)
    k.get("configmaps", query=chosen, headers={"Accept": table}, view=aged)
    k.get("configmaps", query={**chosen, "includeObject": "None"}, headers={"Accept": table}, view=aged)
    k.create("pods", pod(), record=False)
    for resource in (
        "pods",
        "services",
        "apps/deployments",
        "apps/replicasets",
        "secrets",
        "policy/poddisruptionbudgets",
        "autoscaling/horizontalpodautoscalers",
        "coordination/leases",
        "networking/ingresses",
        "serviceaccounts",
    ):
        k.get(resource, headers={"Accept": table}, view=aged)
