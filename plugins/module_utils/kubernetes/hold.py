# SPDX-License-Identifier: BSD-2-Clause
"""Pin an autoscaler to the size of now, and let it go again. Its own bounds are kept in an annotation of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..core.errors import Unexpected
from ..options import build
from .arguments import Settings
from .client import Api
from .writing import patch

ANNOTATION = "runbooks.dhakacart.com/held-bounds"


def bounds_when_held(autoscaler: Mapping[str, Any]) -> dict[str, Any] | None:
    """The merge patch that pins it, or None when it is held already. Pure.

    :raises Unexpected: it does not say how many replicas there are.
    """
    annotations = (autoscaler.get("metadata") or {}).get("annotations") or {}
    if ANNOTATION in annotations:
        return None
    spec, status = autoscaler.get("spec") or {}, autoscaler.get("status") or {}
    lowest, highest, size = spec.get("minReplicas", 1), spec.get("maxReplicas"), status.get("currentReplicas")
    if not isinstance(size, int) or not isinstance(highest, int) or not isinstance(lowest, int):
        raise Unexpected("the autoscaler does not say its size and bounds", remedy="kubectl describe hpa")
    size = max(size, lowest, 1)
    kept = json.dumps({"minReplicas": lowest, "maxReplicas": highest})
    return {"metadata": {"annotations": {ANNOTATION: kept}}, "spec": {"minReplicas": size, "maxReplicas": size}}


def bounds_when_released(autoscaler: Mapping[str, Any]) -> dict[str, Any] | None:
    """The merge patch that lets it go, or None when it is not held. Pure.

    :raises Unexpected: the annotation is not what a hold writes.
    """
    annotations = (autoscaler.get("metadata") or {}).get("annotations") or {}
    if ANNOTATION not in annotations:
        return None
    try:
        kept = json.loads(annotations[ANNOTATION])
        bounds = {"minReplicas": int(kept["minReplicas"]), "maxReplicas": int(kept["maxReplicas"])}
    except (ValueError, KeyError, TypeError):
        raise Unexpected(
            f"annotation {ANNOTATION} is not readable", remedy="set minReplicas and maxReplicas by hand, remove it"
        ) from None
    return {"metadata": {"annotations": {ANNOTATION: None}}, "spec": bounds}


def set_hold(connection: Mapping[str, Any], name: str, *, held: bool, dry_run: bool) -> dict[str, Any]:
    """Hold or release; ``changed``, ``before`` and ``after`` bounds, and ``undo``.

    :raises ReadError: Kubernetes could not be read or written.
    """
    settings = build(Settings, connection, "kubernetes")
    api = Api(settings)
    path = f"/apis/autoscaling/v2/namespaces/{settings.namespace}/horizontalpodautoscalers/{name}"
    autoscaler = api.get(path)
    wanted = bounds_when_held(autoscaler) if held else bounds_when_released(autoscaler)
    spec = autoscaler.get("spec") or {}
    before = {key: spec.get(key) for key in ("minReplicas", "maxReplicas")}
    if wanted is None:
        return {"changed": False, "before": before, "after": before, "undo": ""}
    # The version read is the version patched: of two responders one is told that it has changed.
    wanted["metadata"]["resourceVersion"] = autoscaler["metadata"]["resourceVersion"]
    patch(api, path, wanted, dry_run=dry_run)
    # None takes the annotation of a hold away; a release that is undone is a hold again, with the bounds it had kept.
    annotation = (autoscaler["metadata"].get("annotations") or {}).get(ANNOTATION)
    undo = (
        f"kubectl -n {settings.namespace} patch hpa {name} --type merge -p"
        f" '{json.dumps({'spec': before, 'metadata': {'annotations': {ANNOTATION: annotation}}})}'"
    )
    return {"changed": True, "before": before, "after": wanted["spec"], "undo": undo}
