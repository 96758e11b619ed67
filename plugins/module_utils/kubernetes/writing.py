# SPDX-License-Identifier: BSD-2-Clause
"""The few writes that this collection makes itself, each a patch or a creation; dry runs are the server's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..core.errors import Missing, Unexpected
from .client import Api

MERGE = "application/merge-patch+json"


def patch(api: Api, path: str, body: Mapping[str, Any], *, dry_run: bool) -> dict[str, Any]:
    """Merge ``body`` into the object at ``path``; the object as the server has it (or would have it).

    :raises ReadError: the server did not take it.
    """
    query = {"fieldManager": "dhakacart-runbooks", **({"dryRun": "All"} if dry_run else {})}
    answer = api.exchange("PATCH", path, query, json.dumps(body).encode(), MERGE)
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unexpected("the answer to a patch is not a JSON object", where=path, remedy="is this Kubernetes?")
    return found


def put_secret(api: Api, namespace: str, name: str, data: Mapping[str, str], *, dry_run: bool) -> None:
    """Create the Secret, or replace the keys in ``data`` (base64, as the API has them)."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    try:
        patch(api, f"{path}/{name}", {"data": dict(data)}, dry_run=dry_run)
    except Missing:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": dict(data)}
        query = {"fieldManager": "dhakacart-runbooks", **({"dryRun": "All"} if dry_run else {})}
        api.exchange("POST", path, query, json.dumps(body).encode(), "application/json")
