# SPDX-License-Identifier: GPL-3.0-or-later
"""422: objects that the server does not take, with the causes and their texts."""

from __future__ import annotations

from ..scenario import Kube, scenario
from .shapes import autoscaler, budget, config_map, container, deployment, lease, pod, replica_set, service, template


@scenario
def names(k: Kube) -> None:
    k.create("configmaps", {"metadata": {}})
    k.create("configmaps", config_map("Upper"))
    k.create("configmaps", config_map("-x"))
    k.create("configmaps", config_map("a" * 254))
    k.create("apps/deployments", deployment("under_score"))
    k.create("services", service("1abc"))
    k.create("services", service("a.b"))
    k.create("pods", pod("A"))
    k.send("POST", "/api/v1/namespaces", {"metadata": {"name": "a.b"}})
    k.send("POST", "/api/v1/namespaces", {"metadata": {"name": "A"}})
    k.create(
        "configmaps",
        {"metadata": {"generateName": "Bad_"}},
        view=lambda body: [c["field"] for c in body["details"]["causes"]],
    )
    k.create("configmaps", {"metadata": {"generateName": "good-"}})
    k.create("configmaps", config_map(**{"bad/key": "x"}))
    k.create("secrets", {"metadata": {"name": "s"}, "data": {"bad/key": "eA=="}})
    for key, value in (("a b", "x"), ("fine", "not fine!"), ("x/y/z", "1")):
        labelled = config_map("l")
        labelled["metadata"]["labels"] = {key: value}
        k.create("configmaps", labelled)
    noted = config_map("n")
    noted["metadata"]["annotations"] = {"a b": "x"}
    k.create("configmaps", noted)


@scenario
def deployments_invalid(k: Kube) -> None:
    at = "apps/deployments"
    k.create(at, {"metadata": {"name": "empty"}})
    k.create(at, {"metadata": {"name": "empty"}, "spec": {}})
    k.create(at, deployment(selector=None))
    k.create(at, deployment(selector={}))
    k.create(at, deployment(selector={"matchLabels": {"app": "other"}}))
    k.create(at, deployment(replicas=-1))
    k.create(at, deployment(minReadySeconds=-1))
    k.create(at, deployment(revisionHistoryLimit=-1))
    k.create(at, deployment(minReadySeconds=600, progressDeadlineSeconds=600))
    k.create(at, deployment(template={"metadata": {"labels": {"app": "web"}}, "spec": {}}))
    k.create(at, deployment(template=template(restartPolicy="Never")))
    k.create(at, deployment(strategy={"type": "Sideways"}))
    k.create(at, deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}))
    k.create(at, deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}))
    k.create(at, deployment(strategy={"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "0%"}}))
    k.create(at, deployment(strategy={"rollingUpdate": {"maxSurge": "many"}}))
    k.create(at, deployment(strategy={"rollingUpdate": {"maxSurge": -1}}))
    k.create(at, deployment(strategy={"rollingUpdate": {"maxUnavailable": "101%"}}))
    k.create(at, deployment(template=template(containers=[{"name": "C!"}])))
    k.create("apps/replicasets", replica_set(selector={"matchLabels": {"app": "other"}}))


@scenario
def pods_invalid(k: Kube) -> None:
    at = "pods"
    k.create(at, {"metadata": {"name": "p"}})
    k.create(at, pod(containers=[]))
    k.create(at, pod(containers=[{"image": "x"}]))
    k.create(at, pod(containers=[{"name": "c"}]))
    k.create(at, pod(containers=[container(), container()]))
    k.create(at, pod(containers=[container(livenessProbe={})]))
    k.create(at, pod(containers=[container(readinessProbe={"httpGet": {"port": 0}})]))
    k.create(at, pod(containers=[container(ports=[{"containerPort": 70000}])]))
    k.create(at, pod(containers=[container(ports=[{"containerPort": 80, "protocol": "HTTP"}])]))
    k.create(at, pod(containers=[container(imagePullPolicy="Sometimes")]))
    k.create(at, pod(containers=[container(env=[{"name": ""}])]))
    k.create(
        at,
        pod(
            containers=[
                container(env=[{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}])
            ]
        ),
    )
    k.create(
        at, pod(containers=[container(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nothing"}}}])])
    )
    k.create(at, pod(containers=[container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})]))
    k.create(at, pod(containers=[container(resources={"requests": {"cpu": "lots"}})]))
    k.create(at, pod(containers=[container(resources={"requests": {"memory": "-1Gi"}})]))
    k.create(at, pod(containers=[container(volumeMounts=[{"name": "v", "mountPath": "/v"}])]))
    k.create(at, pod(restartPolicy="Perhaps"))
    k.create(at, pod(dnsPolicy="Perhaps"))
    k.create(at, pod(terminationGracePeriodSeconds=-5))
    k.create(at, pod(activeDeadlineSeconds=0))
    k.create(at, pod(volumes=[{"name": "v"}, {"name": "v", "emptyDir": {}}]))
    k.create(at, pod(tolerations=[{"key": "a", "operator": "Maybe"}]))
    k.create(at, pod(serviceAccountName="no-such-account"))
    k.create(at, pod(priorityClassName="no-such-class"))


@scenario
def others_invalid(k: Kube) -> None:
    k.create("services", {"metadata": {"name": "s"}, "spec": {}})
    k.create("services", service(ports=[{"port": 0}]))
    k.create("services", service(ports=[{"port": 80}, {"port": 81}]))
    k.create("services", service(ports=[{"name": "a", "port": 80}, {"name": "a", "port": 81}]))
    k.create("services", service(type="Sideways"))
    k.create("services", service(clusterIP="1.2.3"))
    k.create("services", service(selector={"a b": "c"}))
    k.create("services", service(ports=[{"port": 80, "targetPort": 70000}]))
    k.create("services", service(sessionAffinity="Perhaps"))
    at = "autoscaling/horizontalpodautoscalers"
    k.create(at, {"metadata": {"name": "h"}, "spec": {}})
    k.create(at, autoscaler(maxReplicas=0))
    k.create(at, autoscaler(minReplicas=5))
    k.create(at, autoscaler(minReplicas=0))
    k.create(at, autoscaler(minReplicas=-1))
    k.create(at, autoscaler(metrics=[{"type": "Resource"}]))
    k.create(
        at, autoscaler(metrics=[{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}])
    )
    k.create("policy/poddisruptionbudgets", budget(minAvailable=1, maxUnavailable=1))
    k.create("policy/poddisruptionbudgets", budget(minAvailable=-1))
    k.create("policy/poddisruptionbudgets", budget(minAvailable="101%"))
    k.create("policy/poddisruptionbudgets", budget(minAvailable="x"))
    k.create("coordination/leases", lease(leaseDurationSeconds=0))
    k.create("coordination/leases", lease(leaseTransitions=-1))
    k.create("coordination/leases", lease(renewTime="yesterday"))
    k.create("coordination/leases", lease(renewTime="2026-01-01T00:00:00Z"))
    k.create("networking/ingresses", {"metadata": {"name": "i"}, "spec": {}})
    k.create(
        "networking/ingresses",
        {"metadata": {"name": "i"}, "spec": {"rules": [{"http": {"paths": [{"path": "x", "backend": {}}]}}]}},
    )
    k.create("secrets", {"metadata": {"name": "t"}, "type": "kubernetes.io/tls"})
    k.create("secrets", {"metadata": {"name": "t"}, "type": "kubernetes.io/basic-auth"})


@scenario
def fields_that_are_fixed(k: Kube) -> None:
    k.create("apps/deployments", deployment())
    k.patch("apps/deployments", "web", {"spec": {"selector": {"matchLabels": {"app": "b"}}}})
    both = {"spec": {"selector": {"matchLabels": {"app": "b"}}, "template": {"metadata": {"labels": {"app": "b"}}}}}
    k.patch("apps/deployments", "web", both)
    k.create("apps/replicasets", replica_set())
    k.patch("apps/replicasets", "rs", both)
    k.create("services", service())
    k.patch("services", "s", {"spec": {"clusterIP": "172.20.9.9"}})
    k.patch("services", "s", {"spec": {"clusterIP": "None"}})
    k.create("pods", pod())
    k.patch("pods", "p", {"spec": {"hostname": "x"}})
    k.patch("pods", "p", {"spec": {"containers": [{"name": "c", "image": "other:2", "command": ["x"]}]}})
    k.patch("pods", "p", {"spec": {"containers": [{"name": "c", "image": "other:2"}, {"name": "d", "image": "x:1"}]}})
    k.patch(
        "pods",
        "p",
        [{"op": "replace", "path": "/spec/containers/0/image", "value": "other:2"}],
        "application/json-patch+json",
    )
    k.create("configmaps", config_map(a="1") | {"immutable": True})
    k.patch("configmaps", "m", {"data": {"a": "2"}})
    k.patch("configmaps", "m", {"immutable": False})
    k.create("secrets", {"metadata": {"name": "s"}, "data": {"a": "eA=="}, "immutable": True})
    k.patch("secrets", "s", {"data": {"a": "eQ=="}})
    k.create("secrets", {"metadata": {"name": "typed"}})
    k.patch("secrets", "typed", {"type": "other"})
    k.create("policy/poddisruptionbudgets", budget(minAvailable=1))
    k.patch("policy/poddisruptionbudgets", "b", {"spec": {"selector": {"matchLabels": {"app": "z"}}}})
    role = {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    k.create("rbac/roles", role)
    binding = {
        "metadata": {"name": "rb"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "u"}],
    }
    k.create("rbac/rolebindings", binding)
    k.patch("rbac/rolebindings", "rb", {"roleRef": {"name": "other"}})
    k.patch("rbac/rolebindings", "rb", {"subjects": [{"kind": "Alien", "name": "u"}]})
