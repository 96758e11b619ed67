# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients read to learn which resources there are."""

from __future__ import annotations

import platform

from ..kinds import KINDS as STORED
from ..kinds import NAMESPACE, Kind, Obj
from ..metrics import api as metrics
from .events import MODERN

KINDS = (*STORED, MODERN)
ALL = ("pods", "services", "deployments.apps", "replicasets.apps", "horizontalpodautoscalers.autoscaling")
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def version() -> Obj:
    """The version the platform runs (EKS 1.28), marked as the lab's."""
    return {
        "major": "1",
        "minor": "28",
        "gitVersion": "v1.28.15-dhakacart-lab",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "",
        "goVersion": "",
        "compiler": f"CPython {platform.python_version()}",
        "platform": "linux/amd64",
    }


def _groups() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        versions = found.setdefault(kind.group, [])
        if kind.version not in versions:
            versions.append(kind.version)
    return found


def core_versions(host: str) -> Obj:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    }


def _group(name: str, versions: list[str]) -> Obj:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def groups() -> Obj:
    listed = [*(_group(name, versions) for name, versions in _groups().items() if name), metrics.group()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def group(name: str) -> Obj | None:
    if name == metrics.GROUP:
        return {"kind": "APIGroup", "apiVersion": "v1", **metrics.group()}
    versions = _groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions and name else None


def resources(group_name: str, version_name: str) -> Obj | None:
    """The APIResourceList of a group and version, None where there is none."""
    if (group_name, version_name) == (metrics.GROUP, metrics.VERSION):
        return metrics.resources()
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group_name, version_name)]
    if not kinds:
        return None
    listed = [entry for kind in kinds for entry in _entries(kind)]
    about = {"kind": "APIResourceList", "groupVersion": kinds[0].api_version, "resources": listed}
    return {**about, "apiVersion": "v1"} if group_name else about  # real: the core group's list has none


def _entries(kind: Kind) -> list[Obj]:
    main: Obj = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": VERBS,
    }
    if kind.qualified in ALL:
        main["categories"] = ["all"]
    if kind == NAMESPACE:
        main["verbs"] = [verb for verb in VERBS if verb != "deletecollection"]
    if kind.short:
        main["shortNames"] = list(kind.short)
    return [main, *(_subresource(kind, name) for name in kind.subresources)]


def _subresource(kind: Kind, name: str) -> Obj:
    entry: Obj = {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": ["get", "patch", "update"],
    }
    if name == "scale":
        entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    elif name == "eviction":
        entry |= {"group": "policy", "version": "v1", "kind": "Eviction", "verbs": ["create"]}
    elif name == "exec":
        entry |= {"kind": "PodExecOptions", "verbs": ["create", "get"]}
    elif name == "log":
        entry["verbs"] = ["get"]
    elif name == "finalize":
        entry["verbs"] = ["update"]
    return entry
