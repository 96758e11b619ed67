# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider: DhakaCart's objects, the kubeconfig, reset and health."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any

import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes import manifests
from dhakacart_lab.kubernetes.access import read_kubeconfig
from dhakacart_lab.layout import LabError

HOME = "dhakacart"


@pytest.fixture
def dhakacart(cluster: Any) -> Iterator[Any]:
    """The cluster with DhakaCart's objects, without its pods: they would need a database."""
    objects = manifests.objects(cluster.layout)
    for obj in objects:
        if obj["kind"] == "Deployment":
            obj["spec"]["replicas"] = 0
    cluster.provider.up(objects)
    cluster.namespace, kept = HOME, cluster.namespace
    yield cluster
    cluster.api.delete("namespaces", HOME)
    cluster.eventually(
        "gone", lambda: HOME not in {found["metadata"]["name"] for found in cluster.api.list("namespaces")}
    )
    cluster.namespace = kept


def test_the_objects_have_the_platforms_names(dhakacart: Any) -> None:
    for resource, name in (
        ("deployments", "dhakacart-backend"),
        ("services", "dhakacart-backend-service"),
        ("horizontalpodautoscalers", "dhakacart-backend-hpa"),
        ("poddisruptionbudgets", "dhakacart-backend-pdb"),
        ("ingresses", "dhakacart-ingress"),
        ("configmaps", "dhakacart-config"),
        ("roles", "dhakacart-operator-role"),
    ):
        assert dhakacart.get(resource, name)
    secret = dhakacart.api.secret("dhakacart-secrets", namespace=HOME)
    assert secret["db-host"] == dhakacart.layout.endpoints["primary"].host
    assert secret["db-password"] == dhakacart.layout.secret("db-app")
    assert len(secret) == 8


def test_up_leaves_what_was_changed_and_reset_puts_it_back(dhakacart: Any) -> None:
    dhakacart.api.patch_secret("dhakacart-secrets", {"db-host": "10.9.9.9"}, namespace=HOME)
    patch = {"spec": {"minReplicas": 7}}
    dhakacart.api.patch("horizontalpodautoscalers", "dhakacart-backend-hpa", patch, namespace=HOME)
    dhakacart.api.delete("poddisruptionbudgets", "dhakacart-backend-pdb", namespace=HOME)
    dhakacart.provider.up(manifests.objects(dhakacart.layout), wait=False)
    assert dhakacart.api.secret("dhakacart-secrets", namespace=HOME)["db-host"] == "10.9.9.9"
    assert dhakacart.get("poddisruptionbudgets", "dhakacart-backend-pdb")["spec"]["minAvailable"] == 2
    dhakacart.provider.reset()
    found = dhakacart.api.secret("dhakacart-secrets", namespace=HOME)
    assert found["db-host"] == dhakacart.layout.endpoints["primary"].host
    assert dhakacart.get("horizontalpodautoscalers", "dhakacart-backend-hpa")["spec"]["minReplicas"] == 3
    assert dhakacart.get("deployments", "dhakacart-backend")["spec"]["replicas"] == 3


def test_a_second_reset_changes_nothing(dhakacart: Any) -> None:
    def revisions() -> dict[str, str]:
        return {
            resource: dhakacart.api.list(resource, namespace=HOME)[0]["metadata"]["resourceVersion"]
            for resource in ("secrets", "configmaps", "services", "ingresses")
        }

    dhakacart.provider.reset()
    before = revisions()
    dhakacart.provider.reset()
    assert revisions() == before


def test_the_kubeconfig_is_private_and_has_both_contexts(cluster: Any) -> None:
    path = cluster.layout.kubeconfig
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    admin, reader = (read_kubeconfig(path, context) for context in ("lab", "lab-readonly"))
    assert admin.token == cluster.layout.secret("kube-admin-token")
    assert reader.token == cluster.layout.secret("kube-readonly-token")
    assert admin.token not in repr(admin)


def test_a_malformed_kubeconfig_is_one_line_that_says_so(tmp_path: Any) -> None:
    path = tmp_path / "kubeconfig"
    for text in ("", "[]", "{: :", "contexts: []\ncurrent-context: x\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(LabError) as refused:
            read_kubeconfig(path)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)


def test_health_names_what_is_wrong(dhakacart: Any) -> None:
    assert dhakacart.provider.healthy() == []
    kubelet = process.find(dhakacart.layout, "kubelet-1")
    assert kubelet is not None
    kubelet.suspend()
    try:
        expected = [f"the kubelet of lab-node-1 is frozen (pid {kubelet.pid})"]
        dhakacart.eventually("seen as frozen", lambda: dhakacart.provider.healthy() == expected)
    finally:
        kubelet.resume()


def test_without_a_server_the_api_says_where_and_what_to_do(cluster: Any) -> None:
    server = process.find(cluster.layout, "kubernetes")
    assert server is not None
    process.stop(cluster.layout, "kubernetes")
    try:
        with pytest.raises(LabError, match=r"did not answer .* remedy: runbook lab up"):
            cluster.api.list("pods")
        assert cluster.provider.healthy() == ["the Kubernetes API server does not run"]
    finally:
        cluster.provider.up([])
