# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers without a server around them: what takes too long to wait for there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dhakacart_lab.kubernetes.controllers import nodes
from dhakacart_lab.kubernetes.controllers.manager import Manager
from dhakacart_lab.kubernetes.kinds import LEASE, NAMESPACE, NODE, POD, condition, micro_timestamp
from dhakacart_lab.kubernetes.registry import Registry
from dhakacart_lab.kubernetes.store import Store

READY = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T03:04:05Z"}]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    found = Registry(Store(tmp_path / "state.sqlite"))
    for name in ("default", nodes.LEASES):
        found.create(NAMESPACE, "", {"metadata": {"name": name}})
    found.create(NODE, "", {"metadata": {"name": "n"}, "status": {"conditions": READY}}, keep_status=True)
    lease = {"metadata": {"name": "n"}, "spec": {"renewTime": micro_timestamp()}}
    found.create(LEASE, nodes.LEASES, lease)
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i:1"}]}}
    found.create(POD, "default", {**pod, "status": {"conditions": READY}}, keep_status=True)
    return found


def run_until(registry: Registry, done: Callable[[], Any]) -> None:
    async def run() -> None:
        manager = asyncio.create_task(Manager(registry).run())
        async with asyncio.timeout(5):
            while not done():
                await asyncio.sleep(0.02)
        manager.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await manager

    asyncio.run(run())


def state(registry: Registry, kind: Any, namespace: str, name: str) -> str:
    found = condition(registry.get(kind, namespace, name), "Ready")
    return found["status"] if found else ""


def test_a_node_whose_lease_is_not_renewed_is_lost_and_comes_back(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "GRACE", 0.2)
    run_until(registry, lambda: state(registry, NODE, "", "n") == "Unknown")
    assert state(registry, POD, "default", "p") == "False"
    taints = registry.get(NODE, "", "n")["spec"]["taints"]
    assert {taint["key"] for taint in taints} == {nodes.UNREACHABLE}

    monkeypatch.setattr(nodes, "GRACE", 40.0)
    registry.patch(
        NODE, "", "n", {"status": {"conditions": READY}}, "application/merge-patch+json", subresource="status"
    )
    run_until(registry, lambda: "taints" not in registry.get(NODE, "", "n")["spec"])


def test_a_server_that_was_down_does_not_give_up_its_nodes(registry: Registry) -> None:
    old = {"spec": {"renewTime": "2026-11-23T00:00:00.000000Z"}}
    registry.patch(LEASE, nodes.LEASES, "n", old, "application/merge-patch+json")
    looks = iter(range(20))
    run_until(registry, lambda: next(looks, None) is None)
    assert state(registry, NODE, "", "n") == "True"


def test_history_survives_and_compaction_keeps_the_latest_state(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    registry = Registry(store)
    registry.create(NAMESPACE, "", {"metadata": {"name": "default"}})
    for number in range(2600):
        name = f"l{number % 3}"
        store.put(LEASE, {"metadata": {"name": name, "namespace": "default", "uid": name}, "n": number})
    registry.delete(LEASE, "default", "l1")
    revision, compacted = store.revision, store.compacted
    store.close()
    again = Store(tmp_path / "state.sqlite")
    assert (again.revision, again.compacted) == (revision, compacted)
    assert compacted > 0
    assert {obj["metadata"]["name"]: obj.get("n") for obj in again.all(LEASE)} == {"l0": 2598, "l2": 2597}
    assert again.since(compacted - 1, LEASE) is None
    changes = again.since(compacted, LEASE)
    assert changes is not None
    assert len(changes) == revision - compacted
    assert all(change.previous is not None for change in changes)
