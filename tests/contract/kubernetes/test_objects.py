# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing objects: what the API server accepts, refuses and fills in."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from dhakacart_lab.kubernetes.errors import ApiError
from dhakacart_lab.kubernetes.registry import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from kubernetes import client as official


def config_map(namespace: str, name: str = "settings", **data: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def test_a_name_can_be_taken_only_once(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    core.create_namespaced_config_map(cluster.namespace, config_map(cluster.namespace, a="1"))
    with pytest.raises(official.ApiException) as refused:
        core.create_namespaced_config_map(cluster.namespace, config_map(cluster.namespace))
    assert refused.value.status == 409
    assert '"reason":"AlreadyExists"' in refused.value.body
    assert 'configmaps \\"settings\\" already exists' in refused.value.body


def test_generate_name_makes_a_name(cluster: Any, client: official.ApiClient) -> None:
    body = {"metadata": {"generateName": "probe-"}}
    first, second = (official.CoreV1Api(client).create_namespaced_config_map(cluster.namespace, body) for _ in range(2))
    assert first.metadata.name.startswith("probe-")
    assert first.metadata.name != second.metadata.name


def test_a_stale_update_is_a_conflict(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    stale = core.create_namespaced_config_map(cluster.namespace, config_map(cluster.namespace, a="1"))
    core.patch_namespaced_config_map("settings", cluster.namespace, {"data": {"a": "2"}})
    stale.data["a"] = "3"
    with pytest.raises(official.ApiException) as refused:
        core.replace_namespaced_config_map("settings", cluster.namespace, stale)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    assert "the object has been modified; please apply your changes to the latest version" in refused.value.body
    assert core.read_namespaced_config_map("settings", cluster.namespace).data == {"a": "2"}


def test_an_update_of_nothing_makes_no_new_revision(cluster: Any) -> None:
    created = cluster.api.create(config_map(cluster.namespace, a="1"))
    again = cluster.api.patch("configmaps", "settings", {"data": {"a": "1"}}, namespace=cluster.namespace)
    assert again["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


def test_dry_run_answers_as_if_but_changes_nothing(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    would_be = core.create_namespaced_config_map(cluster.namespace, config_map(cluster.namespace, a="1"), dry_run="All")
    assert would_be.metadata.uid
    selector = "metadata.name=settings"
    assert core.list_namespaced_config_map(cluster.namespace, field_selector=selector).items == []
    core.create_namespaced_config_map(cluster.namespace, config_map(cluster.namespace, a="1"))
    patched = core.patch_namespaced_config_map("settings", cluster.namespace, {"data": {"a": "2"}}, dry_run="All")
    assert patched.data == {"a": "2"}
    core.delete_namespaced_config_map("settings", cluster.namespace, dry_run="All")
    assert core.read_namespaced_config_map("settings", cluster.namespace).data == {"a": "1"}


def test_string_data_of_a_secret_is_stored_encoded(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    body = official.V1Secret(metadata=official.V1ObjectMeta(name="s"), string_data={"db-host": "10.0.0.1"})
    core.create_namespaced_secret(cluster.namespace, body)
    core.patch_namespaced_secret("s", cluster.namespace, {"stringData": {"db-port": "5432"}})
    found = core.read_namespaced_secret("s", cluster.namespace)
    assert found.string_data is None
    assert {key: base64.b64decode(value) for key, value in found.data.items()} == {
        "db-host": b"10.0.0.1",
        "db-port": b"5432",
    }


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        (JSON_PATCH, [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "n/o:2"}]),
        (STRATEGIC_PATCH, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "n/o:2"}]}}}}),
        (MERGE_PATCH, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "n/o:2"}]}}}}),
    ],
)
def test_each_patch_type_changes_an_image(cluster: Any, content_type: str, patch: Any) -> None:
    cluster.deployment("web", cluster.container(image="n/o:1"), paused=True)
    found = cluster.api.patch("deployments", "web", patch, namespace=cluster.namespace, content_type=content_type)
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "n/o:2"
    assert ("env" in container) == (content_type != MERGE_PATCH), "a merge patch replaces lists, the others do not"


def test_a_strategic_patch_merges_lists_by_key_and_deletes_on_request(cluster: Any) -> None:
    cluster.deployment("web", cluster.container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]))
    env = [{"name": "B", "value": "3"}, {"name": "A", "$patch": "delete"}, {"name": "C", "value": "4"}]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "env": env}]}}}}
    found = cluster.api.patch("deployments", "web", patch, namespace=cluster.namespace, content_type=STRATEGIC_PATCH)
    variables = found["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {v["name"]: v.get("value") for v in variables} == {"POD_IP": None, "B": "3", "C": "4"}


def test_a_json_patch_whose_test_fails_changes_nothing(cluster: Any) -> None:
    cluster.api.create(config_map(cluster.namespace, a="1"))
    patch = [{"op": "test", "path": "/data/a", "value": "9"}, {"op": "replace", "path": "/data/a", "value": "2"}]
    with pytest.raises(ApiError) as refused:
        cluster.api.patch("configmaps", "settings", patch, namespace=cluster.namespace, content_type=JSON_PATCH)
    assert refused.value.code == 422
    assert cluster.get("configmaps", "settings")["data"] == {"a": "1"}


def test_server_side_apply_gives_fields_an_owner_and_refuses_to_take_them(
    cluster: Any, client: official.ApiClient
) -> None:
    core = official.CoreV1Api(client)
    apply = {"_content_type": "application/apply-patch+yaml"}
    body = config_map(cluster.namespace, a="1")
    core.patch_namespaced_config_map("settings", cluster.namespace, body, field_manager="one", **apply)
    body["data"] = {"a": "2"}
    with pytest.raises(official.ApiException) as refused:
        core.patch_namespaced_config_map("settings", cluster.namespace, body, field_manager="two", **apply)
    assert refused.value.status == 409
    assert 'conflict with \\"one\\": .data.a' in refused.value.body
    core.patch_namespaced_config_map("settings", cluster.namespace, body, field_manager="two", force=True, **apply)
    assert cluster.get("configmaps", "settings")["data"] == {"a": "2"}


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"selector": None}, "spec.selector"),
        ({"selector": {"matchLabels": {"app": "other"}}}, "spec.template.metadata.labels"),
        ({"replicas": -1}, "spec.replicas"),
        ({"template": {"metadata": {"labels": {"app": "web"}}, "spec": {}}}, "spec.template.spec.containers"),
        ({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}, "rollingUpdate.maxUnavailable"),
    ],
)
def test_an_invalid_deployment_is_refused_with_the_field(cluster: Any, spec: dict[str, Any], field: str) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template} | spec
    meta = {"name": "web", "namespace": cluster.namespace}
    with pytest.raises(ApiError, match=re.escape(field)) as refused:
        cluster.api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert str(refused.value).startswith('Deployment.apps "web" is invalid: ')


def test_a_selector_cannot_be_changed(cluster: Any) -> None:
    cluster.deployment("web", paused=True)
    patch = {"spec": {"selector": {"matchLabels": {"app": "b"}}, "template": {"metadata": {"labels": {"app": "b"}}}}}
    with pytest.raises(ApiError, match="field is immutable") as refused:
        cluster.api.patch("deployments", "web", patch, namespace=cluster.namespace)
    assert refused.value.code == 422


def test_a_value_of_the_wrong_type_is_a_bad_request(cluster: Any) -> None:
    cluster.deployment("web", paused=True)
    with pytest.raises(ApiError, match="cannot unmarshal string into Go struct field") as refused:
        cluster.deployment("other", replicas="three")
    assert refused.value.code == 400
    with pytest.raises(ApiError, match="cannot unmarshal string into Go struct field") as refused:
        cluster.api.patch("deployments", "web", {"spec": {"replicas": "three"}}, namespace=cluster.namespace)
    assert refused.value.code == 422, "real: a patch whose result is no object of the kind is Invalid"


def test_only_a_changed_spec_counts_the_generation_up(cluster: Any) -> None:
    cluster.deployment("web", paused=True)
    labelled = cluster.api.patch(
        "deployments", "web", {"metadata": {"labels": {"team": "shop"}}}, namespace=cluster.namespace
    )
    assert labelled["metadata"]["generation"] == 1
    resized = cluster.api.patch("deployments", "web", {"spec": {"replicas": 1}}, namespace=cluster.namespace)
    assert resized["metadata"]["generation"] == 2


def test_the_status_is_changed_only_through_its_subresource(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i:1"}], "nodeName": "elsewhere"}}
    core.create_namespaced_pod(cluster.namespace, body)
    core.patch_namespaced_pod("p", cluster.namespace, {"status": {"phase": "Running"}})
    assert core.read_namespaced_pod("p", cluster.namespace).status.phase == "Pending"
    core.patch_namespaced_pod_status("p", cluster.namespace, {"status": {"phase": "Running"}})
    assert core.read_namespaced_pod("p", cluster.namespace).status.phase == "Running"


def test_a_deletion_with_another_uid_is_a_conflict(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    core.create_namespaced_config_map(cluster.namespace, config_map(cluster.namespace))
    options = official.V1DeleteOptions(preconditions=official.V1Preconditions(uid="another"))
    with pytest.raises(official.ApiException) as refused:
        core.delete_namespaced_config_map("settings", cluster.namespace, body=options)
    assert refused.value.status == 409
    assert core.delete_namespaced_config_map("settings", cluster.namespace)["status"] == "Success"


def test_a_namespace_that_does_not_exist_is_named(client: official.ApiClient) -> None:
    with pytest.raises(official.ApiException) as refused:
        official.CoreV1Api(client).create_namespaced_config_map("nowhere", config_map("nowhere"))
    assert refused.value.status == 404
    assert 'namespaces \\"nowhere\\" not found' in refused.value.body


def test_a_collection_is_deleted_by_selector(cluster: Any, client: official.ApiClient) -> None:
    core = official.CoreV1Api(client)
    for name, tier in (("a", "x"), ("b", "x"), ("c", "y")):
        body = {"metadata": {"name": name, "labels": {"tier": tier}}}
        core.create_namespaced_config_map(cluster.namespace, body)
    core.delete_collection_namespaced_config_map(cluster.namespace, label_selector="tier=x")
    left = core.list_namespaced_config_map(cluster.namespace, label_selector="tier").items
    assert [found.metadata.name for found in left] == ["c"]


def test_a_deleted_namespace_takes_its_content_with_it(cluster: Any) -> None:
    name = f"{cluster.namespace}-inner"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.api.create(config_map(name))
    assert cluster.api.delete("namespaces", name)["status"]["phase"] == "Terminating"
    cluster.eventually(
        "namespace gone", lambda: name not in {n["metadata"]["name"] for n in cluster.api.list("namespaces")}
    )
    assert cluster.api.list("configmaps", namespace=name) == []
