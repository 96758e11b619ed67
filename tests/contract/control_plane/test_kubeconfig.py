# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider for a cluster that somebody else made. Here that is a bare control plane, without nodes of its own."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dhakacart_lab import process
from dhakacart_lab.kubernetes import containers, manifests
from dhakacart_lab.kubernetes.access import READER_CONTEXT
from dhakacart_lab.kubernetes.api import Api
from dhakacart_lab.kubernetes.control_plane.provider import ControlPlane
from dhakacart_lab.kubernetes.errors import ApiError
from dhakacart_lab.kubernetes.kinds import Obj
from dhakacart_lab.kubernetes.providers.kubeconfig import LAB_ID, MARK, Kubeconfig
from dhakacart_lab.layout import Foreign, LabError, Layout

from .conftest import CREDENTIALS, eventually

SUBNET = 159


@pytest.fixture
def marked(cluster: ControlPlane) -> Iterator[ControlPlane]:
    """A cluster whose owner says that it may be thrown away."""
    cluster.api.patch("namespaces", "default", {"metadata": {"labels": {MARK: "true"}}})
    yield cluster
    cluster.api.patch("namespaces", "default", {"metadata": {"labels": {MARK: None}}})


def founded(cluster: ControlPlane, number: int = 0) -> Layout:
    folder = Path(tempfile.mkdtemp(prefix="kubeconfig-contract-", dir="/var/tmp"))
    layout = Layout(
        name="k",
        folder=folder,
        subnet=SUBNET + number,
        lab_id=f"k-{secrets.token_hex(4)}",
        provider="kubeconfig",
        foreign=Foreign(str(cluster.layout.kubeconfig), "lab"),
    )
    layout.lab_file.write_text(json.dumps(layout.describe()), encoding="utf-8")
    layout.credentials.mkdir(mode=0o700)
    for name in CREDENTIALS:
        (layout.credentials / name).write_text(secrets.token_urlsafe(16), encoding="utf-8")
    return layout


@pytest.fixture
def joined(marked: ControlPlane) -> Iterator[Kubeconfig]:
    layout = founded(marked)
    yield Kubeconfig(layout)
    process.end(process.all_of(layout.lab_id), timeout=3)
    shutil.rmtree(layout.folder)


def shop_without_database(layout: Layout) -> list[Obj]:
    """DhakaCart's objects, with a backend that only sleeps: there is no database here."""
    found = manifests.objects(layout)
    (deployment,) = (obj for obj in found if obj["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    sleeping = {"name": "backend", "image": "dhakacart/busybox:1", "command": ["sleep", "600"]}
    deployment["spec"]["template"]["spec"]["containers"] = [{**sleeping, "resources": container["resources"]}]
    return found


def test_an_unmarked_cluster_is_refused_and_nothing_is_made_there(cluster: ControlPlane) -> None:
    layout = founded(cluster)
    before = {obj["metadata"]["name"] for obj in cluster.api.list("namespaces")}
    with pytest.raises(LabError, match=f"not marked as one to be thrown away; remedy, only .* {MARK}=true"):
        Kubeconfig(layout).up(manifests.objects(layout))
    assert {obj["metadata"]["name"] for obj in cluster.api.list("namespaces")} == before
    assert process.all_of(layout.lab_id) == []
    shutil.rmtree(layout.folder)


def test_the_lab_joins_and_leaves_nothing_when_it_goes(marked: ControlPlane, joined: Kubeconfig) -> None:
    layout = joined.layout

    def made() -> set[str]:
        return {
            f"{resource} {obj['metadata']['name']}"
            for resource in ("namespaces", "nodes", "clusterroles", "clusterrolebindings", "serviceaccounts")
            for obj in marked.api.list(resource)
            if obj["metadata"].get("namespace") in (None, "kube-system", "default")
        }

    before = made()
    joined.up(shop_without_database(layout))
    assert joined.healthy() == []
    running = containers.running(layout)
    assert len(running) == 3
    nodes = {pod["spec"]["nodeName"] for pod in joined.api.list("pods", namespace=layout.namespace)}
    assert nodes <= set(layout.kubelets), "on the lab's nodes only"
    reader = Api(layout.kubeconfig, READER_CONTEXT)
    assert reader.list("pods", namespace=layout.namespace)
    with pytest.raises(ApiError, match="cannot list resource"):
        reader.list("secrets", namespace=layout.namespace)
    said: list[str] = []
    joined.down(said.append)
    assert said == []
    assert made() - before == set()
    assert containers.running(layout) == []
    assert process.all_of(layout.lab_id) == []


def test_the_namespace_of_somebody_else_is_left_alone(marked: ControlPlane, joined: Kubeconfig) -> None:
    meta = {"name": joined.layout.namespace, "labels": {"whose": "mine"}}
    marked.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    with pytest.raises(LabError, match="namespace dhakacart belongs to somebody else"):
        joined.up([])
    joined.down()
    assert marked.api.get("namespaces", "dhakacart")["metadata"]["labels"]["whose"] == "mine"
    marked.api.delete("namespaces", "dhakacart")
    eventually("gone", lambda: "dhakacart" not in {obj["metadata"]["name"] for obj in marked.api.list("namespaces")})


def test_a_cluster_that_was_thrown_away_does_not_keep_the_lab_from_ending(
    marked: ControlPlane, joined: Kubeconfig
) -> None:
    joined.up(shop_without_database(joined.layout))
    config = joined.layout.kubeconfig
    config.write_text(config.read_text(encoding="utf-8").replace(":6443", ":6444"), encoding="utf-8")
    said: list[str] = []
    joined.down(said.append)
    assert len(said) == 1
    assert "may be left" in said[0]
    assert process.all_of(joined.layout.lab_id) == []
    # The cluster is needed for other tests, where pods must not be put onto nodes that nobody serves.
    for namespace in marked.api.list("namespaces", labels=f"{LAB_ID}={joined.layout.lab_id}"):
        marked.api.delete("namespaces", namespace["metadata"]["name"])
    for node in joined.layout.kubelets:
        marked.api.delete("nodes", node)
