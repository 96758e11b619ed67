# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a container: values, Secrets, ConfigMaps and the pod's own fields."""

from __future__ import annotations

import asyncio
import base64

from ..client import Client
from ..errors import ApiError
from ..kinds import CONFIG_MAP, SECRET, Kind, Obj
from .images import Image, expand

PERMISSION_PAUSES = (0.1, 0.2, 0.4, 0.8)  # seconds


class ConfigError(Exception):
    """Something the environment needs is missing; the container waits with CreateContainerConfigError."""


async def resolve(client: Client, pod: Obj, container: Obj, image: Image) -> dict[str, str]:
    """The variables of a container. Raises ConfigError naming the missing secret, config map or key."""
    namespace = pod["metadata"]["namespace"]
    cache: dict[tuple[str, str], dict[str, str] | None] = {}

    async def content(kind: str, name: str) -> dict[str, str] | None:
        if (kind, name) not in cache:
            cache[kind, name] = await _content(client, kind, namespace, name)
        return cache[kind, name]

    env: dict[str, str] = {"HOSTNAME": pod["metadata"]["name"], **image.env}
    for source in container.get("envFrom") or []:
        for kind, reference in _references(source, "secretRef", "configMapRef"):
            found = await content(kind, reference["name"])
            if found is None and not reference.get("optional"):
                raise ConfigError(f'{kind} "{reference["name"]}" not found')
            env |= {source.get("prefix", "") + key: value for key, value in (found or {}).items()}
    for variable in container.get("env") or []:
        name, origin = variable["name"], variable.get("valueFrom") or {}
        if not origin:
            env[name] = expand(str(variable.get("value", "")), env)
        elif field_ref := origin.get("fieldRef"):
            env[name] = _field(pod, field_ref["fieldPath"])
        for kind, reference in _references(origin, "secretKeyRef", "configMapKeyRef"):
            found = await content(kind, reference["name"])
            if found is not None and reference["key"] in found:
                env[name] = found[reference["key"]]
            elif not reference.get("optional"):
                raise ConfigError(_missing(kind, namespace, reference, found))
    return env


def _references(source: Obj, secret: str, config_map: str) -> list[tuple[str, Obj]]:
    """The references to a Secret or ConfigMap in ``source``, by the names of their fields."""
    return [
        (kind, source[field]) for kind, field in (("secret", secret), ("configmap", config_map)) if source.get(field)
    ]


def _missing(kind: str, namespace: str, reference: Obj, found: dict[str, str] | None) -> str:
    if found is None:
        return f'{kind} "{reference["name"]}" not found'
    word = {"secret": "Secret", "configmap": "ConfigMap"}[kind]
    return f"couldn't find key {reference['key']} in {word} {namespace}/{reference['name']}"


async def _content(client: Client, kind: str, namespace: str, name: str) -> dict[str, str] | None:
    try:
        found = await _permitted(client, SECRET if kind == "secret" else CONFIG_MAP, namespace, name)
    except ApiError as error:
        if error.code == 404:
            return None
        raise
    data: dict[str, str] = found.get("data") or {}
    if kind == "secret":
        return {key: base64.b64decode(value or "").decode() for key, value in data.items()}
    return data


async def _permitted(client: Client, kind: Kind, namespace: str, name: str) -> Obj:
    """A node may read what a pod bound to it refers to, and its API server learns of the binding a moment later."""
    for pause in PERMISSION_PAUSES:
        try:
            return await client.get(kind, namespace, name)
        except ApiError as error:
            if error.code != 403:
                raise
        await asyncio.sleep(pause)
    return await client.get(kind, namespace, name)


def _field(pod: Obj, path: str) -> str:
    meta, status = pod["metadata"], pod.get("status", {})
    for prefix in ("metadata.labels", "metadata.annotations"):
        if path.startswith(f"{prefix}['"):
            return str((meta.get(prefix.split(".")[1]) or {}).get(path[len(prefix) + 2 : -2], ""))
    values = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": status.get("podIP", ""),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": status.get("hostIP", ""),
    }
    if path not in values:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(values[path])
