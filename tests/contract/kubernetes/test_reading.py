# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading: selectors, pages, watches."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from typing import Any

import pytest
from kubernetes import client as official
from kubernetes import watch


def make(cluster: Any, name: str, **labels: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": cluster.namespace, "labels": labels}
    return cluster.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=web", "a b"),
        ("app==web,tier=front", "a"),
        ("app!=web", "c d"),
        ("app in (web, db)", "a b c"),
        ("app notin (web)", "c d"),
        ("app", "a b c"),
        ("!app", "d"),
    ],
)
def test_label_selectors(cluster: Any, client: official.ApiClient, selector: str, expected: str) -> None:
    for name, labels in (
        ("a", {"app": "web", "tier": "front"}),
        ("b", {"app": "web"}),
        ("c", {"app": "db"}),
        ("d", {}),
    ):
        make(cluster, name, **labels)
    found = official.CoreV1Api(client).list_namespaced_config_map(cluster.namespace, label_selector=selector)
    names = [item.metadata.name for item in found.items]
    assert " ".join(name for name in names if name != "kube-root-ca.crt") == expected


def test_field_selectors(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    for name, node in (("here", "n1"), ("there", "n2")):
        spec = {"containers": [{"name": "c", "image": "i:1"}], "nodeName": node}
        core.create_namespaced_pod(cluster.namespace, {"metadata": {"name": name}, "spec": spec})

    def names(selector: str) -> list[str]:
        found = core.list_namespaced_pod(cluster.namespace, field_selector=selector).items
        return [pod.metadata.name for pod in found]

    assert names("spec.nodeName=n1") == ["here"]
    assert names("metadata.name!=here,status.phase=Pending") == ["there"]
    assert names("status.phase=Running") == []
    with pytest.raises(official.ApiException) as refused:
        names("spec.colour=red")
    assert refused.value.status == 400
    assert "field label not supported: spec.colour" in refused.value.body


def test_events_are_found_by_the_object_they_concern(cluster: Any, client: official.ApiClient) -> None:
    cluster.deployment("web", replicas=1)
    selector = "involvedObject.kind=Deployment,involvedObject.name=web"
    found = cluster.eventually(
        "event of the deployment",
        lambda: official.CoreV1Api(client).list_namespaced_event(cluster.namespace, field_selector=selector).items,
    )
    assert found[0].reason == "ScalingReplicaSet"


def test_pages_show_the_list_as_it_was_at_the_first(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    for number in range(5):
        make(cluster, f"m{number}")
    first = core.list_namespaced_config_map(cluster.namespace, limit=2)
    assert first.metadata.remaining_item_count == 4, "the certificate that every namespace has is one of them"
    cluster.api.delete("configmaps", "m3", namespace=cluster.namespace)
    make(cluster, "m9")
    second = core.list_namespaced_config_map(cluster.namespace, limit=2, _continue=first.metadata._continue)
    third = core.list_namespaced_config_map(cluster.namespace, limit=2, _continue=second.metadata._continue)
    names = [item.metadata.name for page in (first, second, third) for item in page.items]
    assert names == ["kube-root-ca.crt", "m0", "m1", "m2", "m3", "m4"]
    assert not third.metadata._continue
    assert first.metadata.resource_version == third.metadata.resource_version


def test_an_unknown_page_has_expired(cluster: Any, client: official.ApiClient) -> None:
    make(cluster, "a")
    make(cluster, "b")
    core = official.CoreV1Api(client)
    token = base64.urlsafe_b64encode(b'{"v":"meta.k8s.io/v1","rv":-5,"start":"/a"}').decode()
    with pytest.raises(official.ApiException) as refused:
        core.list_namespaced_config_map(cluster.namespace, limit=1, _continue=token)
    assert refused.value.status == 410
    assert '"reason":"Expired"' in refused.value.body


def test_a_watch_resumes_where_the_list_ended(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    make(cluster, "before")
    revision = core.list_namespaced_config_map(cluster.namespace).metadata.resource_version
    make(cluster, "after")
    cluster.api.patch("configmaps", "after", {"data": {"a": "1"}}, namespace=cluster.namespace)
    cluster.api.delete("configmaps", "after", namespace=cluster.namespace)
    stream = watch.Watch().stream(
        core.list_namespaced_config_map, cluster.namespace, resource_version=revision, timeout_seconds=1
    )
    assert [(e["type"], e["object"].metadata.name) for e in stream] == [
        ("ADDED", "after"),
        ("MODIFIED", "after"),
        ("DELETED", "after"),
    ]


def test_a_watch_tells_changes_as_they_happen(cluster: Any, client: official.ApiClient) -> None:
    core, seen = official.CoreV1Api(client), []
    watcher = watch.Watch()

    def follow() -> None:
        for event in watcher.stream(core.list_namespaced_config_map, cluster.namespace, timeout_seconds=5):
            seen.append((event["type"], event["object"].metadata.name))
            if event["object"].metadata.name == "last":
                watcher.stop()

    thread = threading.Thread(target=follow)
    thread.start()
    make(cluster, "first")
    cluster.eventually("first event", lambda: ("ADDED", "first") in seen)
    make(cluster, "last")
    thread.join(5)
    assert ("ADDED", "last") in seen


def test_a_watch_with_a_selector_shows_leaving_and_entering(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    make(cluster, "m", app="web")
    revision = core.list_namespaced_config_map(cluster.namespace).metadata.resource_version
    for value in ("db", "web"):
        patch = {"metadata": {"labels": {"app": value}}}
        cluster.api.patch("configmaps", "m", patch, namespace=cluster.namespace)
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        cluster.namespace,
        label_selector="app=web",
        resource_version=revision,
        timeout_seconds=1,
    )
    assert [event["type"] for event in stream] == ["DELETED", "ADDED"]


def test_a_single_object_is_watched_by_its_name(cluster: Any, client: official.ApiClient) -> None:
    for name in ("a", "b"):
        make(cluster, name)
    url = f"http://{cluster.layout.kubernetes_api}/api/v1/namespaces/{cluster.namespace}/configmaps"
    token = cluster.layout.secret("kube-admin-token")
    request = urllib.request.Request(
        f"{url}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Db",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        events = [json.loads(line) for line in answer]
    assert [event["object"]["metadata"]["name"] for event in events] == ["b"]
