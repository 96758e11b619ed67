# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server fills in."""

from __future__ import annotations

from ..scenario import Kube, scenario
from .shapes import autoscaler, budget, config_map, container, deployment, lease, pod, replica_set, service, template

PROBE = {"httpGet": {"port": 8000}}
RICH = container(
    ports=[{"containerPort": 8000}],
    env=[{"name": "A", "value": "1"}, {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    readinessProbe=PROBE,
    livenessProbe={"tcpSocket": {"port": 8000}},
    startupProbe={"exec": {"command": ["true"]}},
    resources={"requests": {"cpu": "0.25", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    lifecycle={"preStop": {"httpGet": {"port": 1}}},
    volumeMounts=[{"name": "v", "mountPath": "/v"}],
)
VOLUMES = [
    {"name": "v"},
    {"name": "s", "secret": {"secretName": "x"}},
    {"name": "c", "configMap": {"name": "x"}},
    {"name": "h", "hostPath": {"path": "/x"}},
    {"name": "d", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    {"name": "p", "projected": {"sources": [{"configMap": {"name": "x"}}]}},
]


@scenario
def pods_filled_in(k: Kube) -> None:
    k.create("pods", pod("plain"))
    k.create("pods", pod("rich", containers=[RICH], volumes=VOLUMES, initContainers=[container(name="i")]))
    k.create(
        "pods",
        pod(
            "latest",
            containers=[container(image="shop/backend"), container(name="d", image="shop/x@sha256:" + "a" * 64)],
        ),
    )
    k.create("pods", pod("sure", containers=[container(resources={"limits": {"cpu": "1", "memory": "1Gi"}})]))
    k.create(
        "pods",
        pod(
            "tolerant",
            tolerations=[
                {
                    "key": "node.kubernetes.io/not-ready",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 5,
                }
            ],
        ),
    )
    k.create("pods", pod("bare", automountServiceAccountToken=False, enableServiceLinks=False))
    k.create("pods", pod("host", hostNetwork=True, containers=[container(ports=[{"containerPort": 80}])]))
    k.create(
        "pods",
        pod(
            "spread",
            topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
        ),
    )


@scenario
def workloads_filled_in(k: Kube) -> None:
    k.create("apps/deployments", deployment())
    k.create("apps/deployments", deployment("rich", template=template(containers=[RICH], volumes=VOLUMES)))
    k.create("apps/deployments", deployment("again", strategy={"type": "Recreate"}))
    k.create("apps/deployments", deployment("partly", strategy={"rollingUpdate": {"maxSurge": 2}}))
    k.create("apps/deployments", deployment("none", replicas=0, strategy={"type": "RollingUpdate"}))
    k.create("apps/replicasets", replica_set(), view=lambda body: {**body, "status": None})


@scenario
def others_filled_in(k: Kube) -> None:
    k.create("services", service())
    k.create("services", service("named", ports=[{"port": 80, "targetPort": "http", "name": "a"}]))
    k.create("services", service("headless", clusterIP="None"))
    k.create("services", service("port", type="NodePort"), view=lambda body: {**body["spec"], "ports": None})
    k.create("services", service("balanced", type="LoadBalancer"), view=lambda body: {**body["spec"], "ports": None})
    k.create("services", {"metadata": {"name": "ext"}, "spec": {"type": "ExternalName", "externalName": "example.com"}})
    k.create("services", service("sticky", sessionAffinity="ClientIP"))
    at = "autoscaling/horizontalpodautoscalers"
    k.create(at, autoscaler(), view=lambda body: {**body, "status": None})
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    behavior = {
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
        }
    }
    k.create(at, autoscaler("full", metrics=[cpu], behavior=behavior), view=lambda body: {**body, "status": None})
    k.create(at, autoscaler("up", behavior={"scaleUp": {}}), view=lambda body: {**body, "status": None})
    k.create("policy/poddisruptionbudgets", budget(minAvailable=1))
    k.create("policy/poddisruptionbudgets", budget("un", maxUnavailable="30%"))
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}
    k.create("networking/ingresses", {"metadata": {"name": "i"}, "spec": {"rules": [{"http": {"paths": [path]}}]}})
    k.create(
        "networking/networkpolicies",
        {"metadata": {"name": "n"}, "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}},
    )
    k.create("networking/networkpolicies", {"metadata": {"name": "e"}, "spec": {"podSelector": {}, "egress": []}})
    k.create("coordination/leases", lease())
    k.create("secrets", {"metadata": {"name": "plain"}, "stringData": {"a": "b"}})
    k.create("secrets", {"metadata": {"name": "both"}, "data": {"a": "eA==", "c": "eQ=="}, "stringData": {"a": "b"}})
    k.create("configmaps", config_map("binary") | {"binaryData": {"b": "eA=="}})
    k.create("configmaps", {"metadata": {"name": "bare"}})
    k.create("serviceaccounts", {"metadata": {"name": "sa"}})
    k.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "10"}}})
    k.create(
        "endpoints",
        {"metadata": {"name": "ep"}, "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]},
    )
    k.create(
        "discovery/endpointslices",
        {
            "metadata": {"name": "es"},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["192.0.2.1"]}],
            "ports": [{"port": 80}],
        },
    )
    k.send("POST", "/api/v1/namespaces", {"metadata": {"name": f"{k.namespace}-b"}})
    k.send("DELETE", f"/api/v1/namespaces/{k.namespace}-b", record=False)
