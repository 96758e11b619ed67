# SPDX-License-Identifier: GPL-3.0-or-later
"""The controllers: rollouts, scaling, budgets, endpoints, garbage."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from dhakacart_lab.kubernetes.errors import ApiError
from kubernetes import client as official

REVISION = "deployment.kubernetes.io/revision"


def replica_sets(cluster: Any) -> list[dict[str, Any]]:
    return cluster.api.list("replicasets", namespace=cluster.namespace)


def greet(cluster: Any, greeting: str) -> None:
    """Change the template of the deployment web."""
    env = [{"name": "GREETING", "value": greeting}]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "env": env}]}}}}
    cluster.api.patch(
        "deployments",
        "web",
        patch,
        namespace=cluster.namespace,
        content_type="application/strategic-merge-patch+json",
    )


def test_a_rolling_update_never_has_too_few_or_too_many_pods(cluster: Any) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    cluster.deployment("web", cluster.web(), strategy=strategy)
    cluster.rolled_out("web")
    counts: list[tuple[int, int]] = []
    over = threading.Event()

    def sample() -> None:
        while not over.is_set():
            pods = [pod for pod in cluster.pods() if "deletionTimestamp" not in pod["metadata"]]
            ready = [c for pod in pods for c in pod["status"].get("conditions", []) if c["type"] == "Ready"]
            counts.append((len(pods), sum(c["status"] == "True" for c in ready)))

    thread = threading.Thread(target=sample)
    thread.start()
    greet(cluster, "new")
    done = cluster.rolled_out("web")
    over.set()
    thread.join()
    assert max(pods for pods, _ in counts) == 3
    assert min(ready for _, ready in counts) >= 2
    assert done["metadata"]["annotations"][REVISION] == "2"
    old, new = sorted(replica_sets(cluster), key=lambda found: int(found["metadata"]["annotations"][REVISION]))
    assert (old["spec"]["replicas"], new["spec"]["replicas"]) == (0, 2)
    assert {pod["metadata"]["labels"]["pod-template-hash"] for pod in cluster.pods() if "deletionTimestamp"
            not in pod["metadata"]} == {new["metadata"]["labels"]["pod-template-hash"]}  # fmt: skip
    progressing = next(c for c in done["status"]["conditions"] if c["type"] == "Progressing")
    assert progressing["reason"] == "NewReplicaSetAvailable"


def test_setting_the_old_template_back_reuses_its_replica_set(cluster: Any) -> None:
    first = cluster.deployment("web", replicas=1)["spec"]["template"]
    cluster.eventually("first replica set", lambda: len(replica_sets(cluster)) == 1)
    name = replica_sets(cluster)[0]["metadata"]["name"]
    cluster.api.patch(
        "deployments",
        "web",
        [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nowhere/nothing:2"}],
        namespace=cluster.namespace,
        content_type="application/json-patch+json",
    )
    cluster.eventually("second replica set", lambda: len(replica_sets(cluster)) == 2)
    undo = [{"op": "replace", "path": "/spec/template", "value": first}]
    cluster.api.patch(
        "deployments", "web", undo, namespace=cluster.namespace, content_type="application/json-patch+json"
    )

    def undone() -> bool:
        found = cluster.get("replicasets", name)["metadata"]["annotations"]
        return found[REVISION] == "3" and found["deployment.kubernetes.io/revision-history"] == "1"

    cluster.eventually("revision 3 is the old template", undone)
    assert len(replica_sets(cluster)) == 2
    assert cluster.get("deployments", "web")["metadata"]["annotations"][REVISION] == "3"


def test_a_rollout_that_does_not_progress_says_so_after_its_deadline(cluster: Any) -> None:
    cluster.deployment("web", progressDeadlineSeconds=1)

    def exceeded() -> bool:
        conditions = cluster.get("deployments", "web").get("status", {}).get("conditions", [])
        return any(c["reason"] == "ProgressDeadlineExceeded" and c["status"] == "False" for c in conditions)

    cluster.eventually("ProgressDeadlineExceeded", exceeded)
    conditions = {c["type"]: c for c in cluster.get("deployments", "web")["status"]["conditions"]}
    assert conditions["Available"]["reason"] == "MinimumReplicasUnavailable"


def test_a_paused_deployment_scales_but_does_not_roll(cluster: Any) -> None:
    cluster.deployment("web", replicas=1)
    cluster.eventually("pod", lambda: len(cluster.pods()) == 1)
    cluster.api.patch("deployments", "web", {"spec": {"paused": True}}, namespace=cluster.namespace)
    greet(cluster, "ignored")
    cluster.api.patch("deployments", "web", {"spec": {"replicas": 2}}, namespace=cluster.namespace)
    cluster.eventually("second pod", lambda: len(cluster.pods()) == 2)
    assert len(replica_sets(cluster)) == 1
    cluster.api.patch("deployments", "web", {"spec": {"paused": False}}, namespace=cluster.namespace)
    cluster.eventually("second replica set", lambda: len(replica_sets(cluster)) == 2)


def test_only_so_many_old_replica_sets_are_kept(cluster: Any) -> None:
    cluster.deployment("web", cluster.container("import time; time.sleep(99)"), replicas=1, revisionHistoryLimit=1)
    for number in range(3):
        cluster.rolled_out("web")
        greet(cluster, f"number {number}")
    cluster.rolled_out("web")
    cluster.eventually("one old replica set", lambda: len(replica_sets(cluster)) == 2)


def test_scale_is_read_and_written_through_its_subresource(cluster: Any, client: official.ApiClient) -> None:
    apps = official.AppsV1Api(client)
    cluster.deployment("web", replicas=1)
    scale = apps.read_namespaced_deployment_scale("web", cluster.namespace)
    assert (scale.spec.replicas, scale.status.selector) == (1, "app=web")
    apps.patch_namespaced_deployment_scale("web", cluster.namespace, {"spec": {"replicas": 3}})
    cluster.eventually("three pods", lambda: len(cluster.pods()) == 3)
    apps.patch_namespaced_deployment_scale("web", cluster.namespace, {"spec": {"replicas": 0}})
    cluster.eventually("no pod", lambda: not cluster.pods())


def test_pods_that_are_not_ready_go_first(cluster: Any) -> None:
    cluster.deployment("web", cluster.web(), replicas=3)
    cluster.rolled_out("web")
    sick = cluster.pods()[1]["metadata"]["name"]
    (cluster.container_folder(sick) / "sick").touch()
    cluster.eventually("one not ready", lambda: cluster.get("deployments", "web")["status"]["readyReplicas"] == 2)
    cluster.api.patch("deployments", "web", {"spec": {"replicas": 2}}, namespace=cluster.namespace)
    cluster.eventually("the sick one gone", lambda: sick not in {p["metadata"]["name"] for p in cluster.pods()})
    assert cluster.rolled_out("web")["status"]["readyReplicas"] == 2


def test_a_pod_whose_label_is_changed_is_let_go_and_replaced(cluster: Any) -> None:
    cluster.deployment("web", replicas=1)
    name = cluster.eventually("pod", lambda: cluster.pods())[0]["metadata"]["name"]
    patch = {"metadata": {"labels": {"app": "quarantine"}}}
    cluster.api.patch("pods", name, patch, namespace=cluster.namespace)
    cluster.eventually("replacement", lambda: len(cluster.pods("app=web")) == 1)
    assert not cluster.get("pods", name)["metadata"].get("ownerReferences")


@pytest.mark.parametrize(("policy", "left"), [("Background", 0), ("Foreground", 0), ("Orphan", 1)])
def test_what_a_deployment_owned_goes_with_it_unless_orphaned(
    cluster: Any, client: official.ApiClient, policy: str, left: int
) -> None:
    cluster.deployment("web", replicas=1)
    cluster.eventually("pod", lambda: len(cluster.pods()) == 1)
    official.AppsV1Api(client).delete_namespaced_deployment(
        "web", cluster.namespace, body=official.V1DeleteOptions(propagation_policy=policy)
    )

    def settled() -> bool:
        gone = not cluster.api.list("deployments", namespace=cluster.namespace)
        return gone and (len(replica_sets(cluster)), len(cluster.pods())) == (left, left)

    cluster.eventually("deleted", settled)
    if left:
        assert not replica_sets(cluster)[0]["metadata"].get("ownerReferences")


def test_the_autoscaler_keeps_its_bounds(cluster: Any) -> None:
    cluster.deployment("web", replicas=1)
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    meta = {"name": "web", "namespace": cluster.namespace}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 4}
    cluster.api.create(
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec}
    )
    cluster.eventually("at the minimum", lambda: cluster.get("deployments", "web")["spec"]["replicas"] == 2)
    patch = {"spec": {"minReplicas": 1, "maxReplicas": 1}}
    cluster.api.patch("horizontalpodautoscalers", "web", patch, namespace=cluster.namespace)
    cluster.eventually("at the maximum", lambda: cluster.get("deployments", "web")["spec"]["replicas"] == 1)
    status = cluster.get("horizontalpodautoscalers", "web")["status"]
    conditions = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    assert conditions["AbleToScale"] in {("True", "SucceededGetScale"), ("True", "SucceededRescale")}


def test_an_eviction_respects_the_disruption_budget(cluster: Any, client: official.ApiClient) -> None:
    cluster.deployment("web", cluster.web())
    meta = {"name": "web", "namespace": cluster.namespace}
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    cluster.api.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec})
    cluster.rolled_out("web")
    cluster.eventually("budget", lambda: cluster.get("poddisruptionbudgets", "web")["status"]["currentHealthy"] == 2)
    name = cluster.pods()[0]["metadata"]["name"]
    eviction = official.V1Eviction(metadata=official.V1ObjectMeta(name=name, namespace=cluster.namespace))
    core = official.CoreV1Api(client)
    with pytest.raises(official.ApiException) as refused:
        core.create_namespaced_pod_eviction(name, cluster.namespace, eviction)
    assert refused.value.status == 429
    status = json.loads(refused.value.body)
    assert status["details"]["causes"][0]["reason"] == "DisruptionBudget"
    assert "needs 2 healthy pods and has 2 currently" in status["details"]["causes"][0]["message"]
    cluster.api.patch("deployments", "web", {"spec": {"replicas": 3}}, namespace=cluster.namespace)
    cluster.eventually(
        "room in the budget", lambda: cluster.get("poddisruptionbudgets", "web")["status"]["disruptionsAllowed"] == 1
    )
    core.create_namespaced_pod_eviction(name, cluster.namespace, eviction)
    cluster.eventually("evicted", lambda: name not in {pod["metadata"]["name"] for pod in cluster.pods()})


def test_endpoints_follow_readiness_within_a_second_of_the_probe(cluster: Any) -> None:
    cluster.deployment("web", cluster.web())
    meta = {"name": "web", "namespace": cluster.namespace}
    spec = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8000}]}
    cluster.api.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    cluster.rolled_out("web")

    def addresses(field: str) -> set[str]:
        subsets = cluster.get("endpoints", "web").get("subsets") or []
        return {address["ip"] for subset in subsets for address in subset.get(field, [])}

    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in cluster.pods()}
    cluster.eventually("both ready", lambda: addresses("addresses") == set(pods.values()))
    assert cluster.get("endpoints", "web")["subsets"][0]["ports"] == [{"name": "http", "port": 8000, "protocol": "TCP"}]
    sick, address = next(iter(pods.items()))
    (cluster.container_folder(sick) / "sick").touch()
    cluster.eventually("sick one out", lambda: addresses("notReadyAddresses") == {address}, timeout=2.5)
    slices = cluster.api.list("endpointslices", namespace=cluster.namespace, labels="kubernetes.io/service-name=web")
    ready = {e["addresses"][0]: e["conditions"]["ready"] for found in slices for e in found["endpoints"]}
    assert ready == {ip: ip != address for ip in pods.values()}
    (cluster.container_folder(sick) / "sick").unlink()
    cluster.eventually("sick one back", lambda: address in addresses("addresses"), timeout=2.5)


def cordon(cluster: Any, unschedulable: bool | None) -> None:
    for node in cluster.layout.kubelets:
        cluster.api.patch("nodes", node, {"spec": {"unschedulable": unschedulable}})


def test_a_cordoned_node_takes_no_new_pod(cluster: Any) -> None:
    cordon(cluster, True)
    try:
        cluster.pod("p", cluster.container("import time; time.sleep(99)"))
        event = cluster.eventually("FailedScheduling", lambda: cluster.events("FailedScheduling"))[0]
        none = "0/2 nodes are available:"
        assert event["message"] == (
            f"{none} 2 node(s) were unschedulable. no new claims to deallocate, preemption: {none} 2 Preemption is not"
            " helpful for scheduling."
        )
    finally:
        cordon(cluster, None)
    cluster.eventually("running", lambda: cluster.get("pods", "p")["status"]["phase"] == "Running")


def test_every_kind_in_use_is_understood_by_the_official_client(cluster: Any, client: official.ApiClient) -> None:
    cluster.deployment("web", cluster.web(), replicas=1)
    meta = {"name": "web", "namespace": cluster.namespace}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    for api_version, kind, spec in (
        ("v1", "Service", {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}),
        ("autoscaling/v2", "HorizontalPodAutoscaler", {"scaleTargetRef": target, "maxReplicas": 3}),
        ("policy/v1", "PodDisruptionBudget", {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}),
    ):
        cluster.api.create({"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec})
    cluster.rolled_out("web")
    cluster.eventually("endpoints", lambda: cluster.get("endpoints", "web").get("subsets"))
    core, apps, here = official.CoreV1Api(client), official.AppsV1Api(client), cluster.namespace
    pod = core.list_namespaced_pod(here).items[0]
    assert pod.status.container_statuses[0].state.running.started_at
    assert pod.status.container_statuses[0].last_state.terminated is None
    assert apps.list_namespaced_deployment(here).items[0].status.ready_replicas == 1
    assert apps.list_namespaced_replica_set(here).items[0].status.replicas == 1
    assert core.list_namespaced_endpoints(here).items[0].subsets[0].addresses[0].ip == pod.status.pod_ip
    slices = official.DiscoveryV1Api(client).list_namespaced_endpoint_slice(here).items
    assert slices[0].endpoints[0].conditions.ready
    assert core.list_namespaced_service(here).items[0].spec.cluster_ip
    assert core.list_namespaced_event(here).items[0].involved_object.name
    assert any(c.type == "Ready" and c.status == "True" for c in core.list_node().items[0].status.conditions)
    assert official.AutoscalingV2Api(client).list_namespaced_horizontal_pod_autoscaler(here).items[0].spec.max_replicas
    assert official.PolicyV1Api(client).list_namespaced_pod_disruption_budget(here).items[0].spec.min_available == 1
    assert official.CoordinationV1Api(client).list_namespaced_lease("kube-node-lease").items[0].spec.renew_time
    assert core.read_namespace(here).status.phase == "Active"


def test_a_refused_request_names_the_missing_object(cluster: Any) -> None:
    with pytest.raises(ApiError, match=r'deployments\.apps "web" not found') as refused:
        cluster.get("deployments", "web")
    assert (refused.value.code, refused.value.reason) == (404, "NotFound")
