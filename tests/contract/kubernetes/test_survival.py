# SPDX-License-Identifier: GPL-3.0-or-later
"""What a crash of the API server or the kubelet leaves, and what the next one makes of it."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes import containers
from dhakacart_lab.kubernetes.store import COMPACT_EVERY, HISTORY
from kubernetes import client as official
from kubernetes import config, watch


def crash(cluster: Any, *components: str) -> None:
    for component in components:
        found = process.find(cluster.layout, component)
        assert found is not None
        found.kill()
        cluster.eventually("dead", lambda component=component: process.find(cluster.layout, component) is None)


def start(cluster: Any) -> None:
    cluster.provider.up([])


def serving(cluster: Any) -> dict[str, int]:
    """Pod → pid of its process."""
    found = containers.running(cluster.layout, namespace=cluster.namespace)
    return {container.pod: container.process.pid for container in found}


def test_a_killed_api_server_goes_on_where_it_stopped(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    core.create_namespaced_config_map(cluster.namespace, {"metadata": {"name": "before"}})
    listed = core.list_namespaced_config_map(cluster.namespace)
    core.create_namespaced_config_map(cluster.namespace, {"metadata": {"name": "last"}})
    crash(cluster, "kubernetes")
    assert any("API server" in problem for problem in cluster.provider.healthy())
    start(cluster)
    created = core.create_namespaced_config_map(cluster.namespace, {"metadata": {"name": "after"}})
    assert int(created.metadata.resource_version) > int(listed.metadata.resource_version)
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        cluster.namespace,
        resource_version=listed.metadata.resource_version,
        timeout_seconds=1,
    )
    assert [event["object"].metadata.name for event in stream] == ["last", "after"]


def test_a_revision_too_old_to_watch_from_has_expired(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    core.create_namespaced_config_map(cluster.namespace, {"metadata": {"name": "m"}})
    old = core.list_namespaced_config_map(cluster.namespace).metadata.resource_version
    for number in range(HISTORY + COMPACT_EVERY + 1):
        cluster.api.patch("configmaps", "m", {"data": {"n": str(number)}}, namespace=cluster.namespace)
    with pytest.raises(official.ApiException) as refused:
        list(
            watch.Watch().stream(
                core.list_namespaced_config_map, cluster.namespace, resource_version=old, timeout_seconds=1
            )
        )
    assert refused.value.status == 410
    crash(cluster, "kubernetes")
    start(cluster)
    assert core.read_namespaced_config_map("m", cluster.namespace).data == {"n": str(HISTORY + COMPACT_EVERY)}


def test_pods_outlive_a_killed_kubelet_and_are_adopted(cluster: Any, client: official.ApiClient) -> None:
    cluster.deployment("web", cluster.web())
    cluster.rolled_out("web")
    before = serving(cluster)
    crash(cluster, "kubelet-1", "kubelet-2")
    name = next(iter(before))
    with pytest.raises(official.ApiException) as refused:
        official.CoreV1Api(client).read_namespaced_pod_log(name, cluster.namespace)
    assert refused.value.status == 500
    assert serving(cluster) == before
    watched = int(cluster.api.request("GET", "/api/v1/pods")["metadata"]["resourceVersion"])
    start(cluster)
    assert "serving on" in cluster.eventually("log", lambda: _log(client, name, cluster.namespace))
    assert serving(cluster) == before
    assert _readiness_since(cluster, watched) <= {True}, "the takeover must not show in the pods' readiness"
    (cluster.container_folder(name) / "sick").touch()
    cluster.eventually("probed again", lambda: cluster.get("deployments", "web")["status"].get("readyReplicas") == 1)
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in cluster.pods()] == [0, 0]


def _readiness_since(cluster: Any, revision: int) -> set[bool]:
    """Every state of readiness the pods had in a revision after that one."""
    core = official.CoreV1Api(config.new_client_from_config(str(cluster.layout.kubeconfig)))
    events = watch.Watch().stream(
        core.list_namespaced_pod, cluster.namespace, resource_version=str(revision), timeout_seconds=1
    )
    return {event["object"].status.container_statuses[0].ready for event in events}


def _log(client: official.ApiClient, name: str, namespace: str) -> str | None:
    try:
        return str(official.CoreV1Api(client).read_namespaced_pod_log(name, namespace))
    except official.ApiException:
        return None


def test_what_happened_while_no_kubelet_ran_is_made_good(cluster: Any) -> None:
    for name in ("dies", "deleted", "forced"):
        cluster.pod(name, cluster.web())
    for name in ("dies", "deleted", "forced"):
        cluster.eventually(name, lambda name=name: _ready(cluster, name))
    before = serving(cluster)
    crash(cluster, "kubelet-1", "kubelet-2")
    psutil.Process(before["dies"]).kill()
    cluster.api.delete("pods", "deleted", namespace=cluster.namespace)
    cluster.api.delete("pods", "forced", namespace=cluster.namespace, grace=0)
    assert set(serving(cluster)) >= {"deleted", "forced"}
    start(cluster)
    cluster.eventually("ends made good", lambda: set(serving(cluster)) == {"dies"})
    cluster.eventually("ready again", lambda: _ready(cluster, "dies"))
    found = cluster.get("pods", "dies")["status"]["containerStatuses"][0]
    assert (found["restartCount"], found["lastState"]["terminated"]["exitCode"]) == (1, 137)
    assert [pod["metadata"]["name"] for pod in cluster.pods()] == ["dies"]


def _ready(cluster: Any, name: str) -> bool:
    found = cluster.get("pods", name)["status"].get("containerStatuses")
    return bool(found and found[0]["ready"])
