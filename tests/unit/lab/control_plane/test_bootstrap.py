# SPDX-License-Identifier: GPL-3.0-or-later
"""The first objects: the reader reads no secret and changes nothing, metrics are asked of the lab's own server."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from dhakacart_lab.kubernetes.control_plane import bootstrap
from dhakacart_lab.kubernetes.kinds import KINDS, Obj
from dhakacart_lab.kubernetes.pki import Authority
from dhakacart_lab.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(name="t", folder=tmp_path, subnet=77, lab_id="t-1")


@pytest.fixture
def objects(layout: Layout) -> dict[tuple[str, str], Obj]:
    return {(obj["kind"], obj["metadata"]["name"]): obj for _, obj in bootstrap.objects(layout, Authority.open(layout))}


def reads(rules: list[Obj], group: str, resource: str) -> bool:
    return any(group in rule["apiGroups"] and {resource, "*"} & set(rule["resources"]) for rule in rules)


def test_the_reader_reads_every_kind_of_ours_but_secrets(objects: dict[tuple[str, str], Obj]) -> None:
    rules = objects["ClusterRole", "lab-readonly"]["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    unread = [kind.plural for kind in KINDS if not reads(rules, kind.group, kind.plural)]
    assert unread == ["secrets"]
    assert reads(rules, "", "pods/log")


def test_core_resources_are_named_one_by_one(objects: dict[tuple[str, str], Obj]) -> None:
    core = [rule for rule in objects["ClusterRole", "lab-readonly"]["rules"] if "" in rule["apiGroups"]]
    assert not {"*", "pods/exec", "secrets"} & {resource for rule in core for resource in rule["resources"]}


def test_metrics_are_asked_of_the_labs_server_with_its_authority(
    layout: Layout, objects: dict[tuple[str, str], Obj]
) -> None:
    spec = objects["APIService", "v1beta1.metrics.k8s.io"]["spec"]
    assert base64.b64decode(spec["caBundle"]).decode() == Authority.open(layout).pem
    service = objects["Service", spec["service"]["name"]]
    assert service["metadata"]["namespace"] == spec["service"]["namespace"]
    assert (service["spec"]["externalName"], spec["service"]["port"]) == ("127.77.0.52", 4443)
