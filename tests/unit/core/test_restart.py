# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling restart of the deployment that was judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import Unexpected
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes import restart


class Server:
    """One deployment behind the interface of Api."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.writes: list[tuple[str, dict[str, Any], dict[str, Any]]] = []

    def __call__(self, _settings: object) -> Server:
        return self

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/apis/apps/v1/namespaces/shop/deployments/backend"
        return {"spec": dict(self.spec)}

    def exchange(self, _method: str, path: str, query: Mapping[str, Any], body: bytes, _content_type: str) -> bytes:
        self.writes.append((path, dict(query), json.loads(body)))
        return b"{}"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_restart_changes_the_pod_template_alone(monkeypatch: pytest.MonkeyPatch, dry_run: bool) -> None:
    server = Server({"replicas": 3})
    monkeypatch.setattr(restart, "Api", server)
    result = restart.restart({"namespace": "shop"}, "backend", dry_run=dry_run)
    [(path, query, body)] = server.writes
    assert path.endswith("/deployments/backend")
    assert (query.get("dryRun") == "All") is dry_run
    wanted = {"kubectl.kubernetes.io/restartedAt": result["restarted_at"]}
    assert body == {"spec": {"template": {"metadata": {"annotations": wanted}}}}
    assert result["changed"] is True


def test_a_paused_rollout_is_named_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"paused": True})
    monkeypatch.setattr(restart, "Api", server)
    with pytest.raises(Unexpected, match=r"paused.*remedy: .*kubectl -n shop rollout resume deployment/backend"):
        restart.restart({"namespace": "shop"}, "backend", dry_run=False)
    assert server.writes == []
