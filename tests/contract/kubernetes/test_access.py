# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what, and in which words he is refused; what clients discover."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from dhakacart_lab.kubernetes.errors import ApiError
from kubernetes import client as official
from kubernetes import dynamic


def test_an_unknown_token_is_unauthorized(cluster: Any) -> None:
    settings = official.Configuration(host=f"http://{cluster.layout.kubernetes_api}")
    settings.api_key = {"authorization": "Bearer wrong"}
    with pytest.raises(official.ApiException) as refused, official.ApiClient(settings) as client:
        official.CoreV1Api(client).list_namespaced_pod(cluster.namespace)
    assert refused.value.status == 401
    assert json.loads(refused.value.body)["reason"] == "Unauthorized"


def test_nobody_may_read_pods_but_may_ask_for_the_version(cluster: Any) -> None:
    settings = official.Configuration(host=f"http://{cluster.layout.kubernetes_api}")
    with official.ApiClient(settings) as client:
        assert official.VersionApi(client).get_code().major == "1"
        with pytest.raises(official.ApiException) as refused:
            official.CoreV1Api(client).list_namespaced_pod(cluster.namespace)
    assert refused.value.status == 403
    assert 'User \\"system:anonymous\\" cannot list resource \\"pods\\"' in refused.value.body


def test_the_reader_reads_but_not_secrets(cluster: Any, reader: official.ApiClient) -> None:
    core = official.CoreV1Api(reader)
    assert core.list_namespaced_pod(cluster.namespace).items == []
    with pytest.raises(official.ApiException) as refused:
        core.read_namespaced_secret("dhakacart-secrets", cluster.namespace)
    assert refused.value.status == 403
    assert json.loads(refused.value.body)["message"] == (
        'secrets "dhakacart-secrets" is forbidden: User "lab-readonly" cannot get resource "secrets" in API group ""'
        f' in the namespace "{cluster.namespace}"'
    )


def test_the_reader_changes_nothing(cluster: Any, reader: official.ApiClient) -> None:
    apps = official.AppsV1Api(reader)
    cluster.deployment("web", paused=True)
    with pytest.raises(official.ApiException) as refused:
        apps.patch_namespaced_deployment_scale("web", cluster.namespace, {"spec": {"replicas": 9}})
    assert refused.value.status == 403
    assert 'cannot patch resource "deployments/scale" in API group "apps"' in json.loads(refused.value.body)["message"]
    with pytest.raises(official.ApiException) as refused:
        apps.delete_collection_namespaced_deployment(cluster.namespace)
    assert "cannot deletecollection resource" in json.loads(refused.value.body)["message"]


def test_the_dynamic_client_discovers_every_kind(client: official.ApiClient) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = dynamic.DynamicClient(client, cache_file=str(Path(folder) / "discovery.json"))
        for api_version, kind in (
            ("v1", "Pod"),
            ("v1", "Secret"),
            ("apps/v1", "Deployment"),
            ("autoscaling/v2", "HorizontalPodAutoscaler"),
            ("policy/v1", "PodDisruptionBudget"),
            ("discovery.k8s.io/v1", "EndpointSlice"),
            ("networking.k8s.io/v1", "Ingress"),
        ):
            assert found.resources.get(api_version=api_version, kind=kind).kind == kind
        deployments = found.resources.get(api_version="apps/v1", kind="Deployment")
        assert set(deployments.subresources) == {"status", "scale"}
        assert found.resources.get(api_version="v1", kind="PodList").kind == "PodList"
        assert found.resources.get(short_names=["deploy"]).kind == "Deployment"


def test_the_dynamic_client_reads_and_writes(cluster: Any, client: official.ApiClient) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = dynamic.DynamicClient(client, cache_file=str(Path(folder) / "discovery.json"))
        maps = found.resources.get(api_version="v1", kind="ConfigMap")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}}
        maps.create(body=body, namespace=cluster.namespace)
        patch = {"metadata": {"name": "m"}, "data": {"b": "2"}}
        for content_type in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
            maps.patch(body=patch, namespace=cluster.namespace, content_type=content_type)
        assert maps.get(name="m", namespace=cluster.namespace).data.to_dict() == {"a": "1", "b": "2"}
        maps.delete(name="m", namespace=cluster.namespace)
        with pytest.raises(dynamic.exceptions.NotFoundError):
            maps.get(name="m", namespace=cluster.namespace)


@pytest.mark.parametrize("path", ["/apis/x.k8s.io/v1", "/api/v1/widgets", "/apis/apps/v2/deployments", "/x"])
def test_an_unknown_path_is_not_found(cluster: Any, path: str) -> None:
    with pytest.raises(
        ApiError, match=r"the server could not find the requested resource|404 page not found"
    ) as refused:
        cluster.api.request("GET", path)
    assert refused.value.code == 404
