# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients read to learn which resources there are. Only what the lab serves is compared."""

from __future__ import annotations

from typing import Any

from ..scenario import Kube, scenario

SERVED = {
    "v1": (
        "namespaces",
        "nodes",
        "pods",
        "services",
        "endpoints",
        "secrets",
        "configmaps",
        "events",
        "serviceaccounts",
        "resourcequotas",
    ),
    "apps/v1": ("deployments", "replicasets"),
    "autoscaling/v2": ("horizontalpodautoscalers",),
    "policy/v1": ("poddisruptionbudgets",),
    "networking.k8s.io/v1": ("ingresses", "networkpolicies"),
    "discovery.k8s.io/v1": ("endpointslices",),
    "coordination.k8s.io/v1": ("leases",),
    "events.k8s.io/v1": ("events",),
    "rbac.authorization.k8s.io/v1": ("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
}
UNSERVED = ("/attach", "/portforward", "/proxy", "/binding", "/ephemeralcontainers", "/token", "/resize", "/exec")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def chosen(group_version: str, listed: list[Any]) -> list[Any]:
    """The resources that the lab serves, without hashes of storage versions."""
    names = SERVED[group_version]
    found = [
        {key: value for key, value in entry.items() if key != "storageVersionHash"}
        for entry in listed
        if entry["name"].split("/")[0] in names and not entry["name"].endswith(UNSERVED)
    ]
    return sorted(found, key=lambda entry: str(entry["name"]))


@scenario
def discovery(k: Kube) -> None:
    k.send("GET", "/version", view=lambda body: [body["major"], sorted(body)])
    k.send(
        "GET", "/api", view=lambda body: {**body, "serverAddressByClientCIDRs": len(body["serverAddressByClientCIDRs"])}
    )
    k.send(
        "GET",
        "/apis",
        view=lambda body: {
            **body,
            "groups": [group for group in body["groups"] if any(group["name"] + "/" in served for served in SERVED)],
        },
    )
    for group_version in SERVED:
        path = f"/apis/{group_version}" if "/" in group_version else "/api/v1"
        k.send(
            "GET",
            path,
            view=lambda body, gv=group_version: {**body, "resources": chosen(gv, body.get("resources", []))},
        )
    k.send("GET", "/apis/apps")
    k.send("GET", "/healthz")
    k.send("GET", "/livez")
    k.send("GET", "/readyz")


@scenario
def aggregated_discovery(k: Kube) -> None:
    def resources(body: dict[str, Any]) -> object:
        if body["kind"] != "APIGroupDiscoveryList":
            return body["kind"]
        found = {}
        for group in body["items"]:
            for version in group["versions"]:
                name = (
                    f"{group['metadata']['name']}/{version['version']}"
                    if group["metadata"].get("name")
                    else version["version"]
                )
                for resource in version["resources"]:
                    if resource["resource"] in SERVED.get(name, ()):
                        subs = [
                            s for s in resource.get("subresources", ()) if not f"/{s['subresource']}".endswith(UNSERVED)
                        ]
                        found[f"{name}/{resource['resource']}"] = {
                            **resource,
                            "subresources": sorted(subs, key=lambda s: str(s["subresource"])),
                        }
        return found

    k.send("GET", "/api", headers={"Accept": AGGREGATED}, view=resources)
    k.send("GET", "/apis", headers={"Accept": AGGREGATED}, view=resources)


@scenario
def schemas(k: Kube) -> None:
    k.send(
        "GET",
        "/openapi/v3",
        view=lambda body: (
            body
            if isinstance(body, str)
            else sorted(path for path in body.get("paths", ()) if path in ("api/v1", "apis/apps/v1", "apis/policy/v1"))
        ),
    )
    k.send(
        "GET",
        "/openapi/v3/apis/apps/v1",
        view=lambda body: (
            body
            if "openapi" not in body or isinstance(body, str)
            else {
                "openapi": body["openapi"],
                "spec": body["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["replicas"][
                    "format"
                ],
            }
        ),
    )
    k.send(
        "GET",
        "/openapi/v2",
        view=lambda body: (
            body
            if "swagger" not in body or isinstance(body, str)
            else {
                "swagger": body["swagger"],
                "spec": body["definitions"]["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["replicas"]["format"],
            }
        ),
    )
