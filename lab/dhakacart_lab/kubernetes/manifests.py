# SPDX-License-Identifier: GPL-3.0-or-later
"""DhakaCart's Kubernetes objects, as the platform names them, with the values of one lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..layout import Layout
from .kinds import SECRET, Obj

SECRET_NAME = "dhakacart-secrets"  # noqa: S105 - the object's name
BACKEND = "dhakacart-backend"


def secret(layout: Layout) -> Obj:
    """The Secret the backend takes its connections from."""
    primary, redis = layout.endpoints["primary"], layout.redis
    values: dict[str, Any] = {
        "db-host": primary.host,
        "db-port": primary.port,
        "db-name": layout.database,
        "db-user": layout.app_user,
        "db-password": layout.secret("db-app"),
        "redis-host": redis.host,
        "redis-port": redis.port,
        "redis-password": layout.secret("redis-token"),
    }
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {"name": SECRET_NAME, "namespace": layout.namespace},
        "stringData": {key: str(value) for key, value in values.items()},
    }


def namespace(layout: Layout, obj: Obj) -> Obj:
    """DhakaCart's namespace, which says what it is a namespace of; the other namespaces as they are."""
    if obj["metadata"]["name"] != layout.namespace:
        return _of_lab(layout, obj) if layout.foreign else obj
    identity = {f"dhakacart.com/{word.replace('_', '-')}": value for word, value in layout.identity.items()}
    labels = {**obj["metadata"]["labels"], "environment": layout.environment, **identity}
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


def _of_lab(layout: Layout, obj: Obj) -> Obj:
    """In a cluster of somebody's: what is the lab's says so, to be found again when it is taken away."""
    labels = {**obj["metadata"].get("labels", {}), "dhakacart.com/lab-id": layout.lab_id}
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


def _at_home(layout: Layout, obj: Obj) -> Obj:
    """In a cluster of somebody's: pods on the lab's nodes only, since no other has the shop's image."""
    if obj["kind"] == "Deployment":
        obj["spec"]["template"]["spec"]["nodeSelector"] = {"dhakacart.com/lab-id": layout.lab_id}
    return obj


def objects(layout: Layout) -> list[Obj]:
    """All of them, in an order in which each finds what it refers to."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    found = [document for document in yaml.safe_load_all(text) if document]
    if layout.foreign:
        found = [_at_home(layout, obj) for obj in found if obj["metadata"].get("namespace") != "kube-system"]
    first = [namespace(layout, document) for document in found if document["kind"] == "Namespace"]
    return [*first, secret(layout), *(document for document in found if document["kind"] != "Namespace")]
