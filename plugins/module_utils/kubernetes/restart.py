# SPDX-License-Identifier: BSD-2-Clause
"""Restart the pods of a deployment one after the other, in the cluster that the checks read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..core.errors import Unexpected
from ..options import build
from .arguments import Settings
from .client import Api
from .writing import patch

# The annotation of `kubectl rollout restart`: a pod template that differs is rolled out.
ANNOTATION = "kubectl.kubernetes.io/restartedAt"


def restart(connection: Mapping[str, Any], deployment: str, *, dry_run: bool) -> dict[str, Any]:
    """Ask for the restart; it is under way when this returns. ``changed`` and ``restarted_at`` (UTC).

    :raises ReadError: Kubernetes could not be read or written, or the rollout is paused, so that nothing would happen.
    """
    settings = build(Settings, connection, "kubernetes")
    api = Api(settings)
    path = f"/apis/apps/v1/namespaces/{settings.namespace}/deployments/{deployment}"
    if (api.get(path).get("spec") or {}).get("paused"):
        raise Unexpected(
            "the rollout is paused, so a restart would do nothing",
            where=f"deployment {deployment}",
            remedy=f"learn who paused it, then kubectl -n {settings.namespace} rollout resume deployment/{deployment}",
        )
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    patch(api, path, {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: now}}}}}, dry_run=dry_run)
    return {"changed": True, "restarted_at": now}
