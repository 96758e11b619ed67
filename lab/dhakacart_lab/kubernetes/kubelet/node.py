# SPDX-License-Identifier: GPL-3.0-or-later
"""The node of the lab: registration, status and heartbeat."""

from __future__ import annotations

import asyncio
import logging
import platform

import aiohttp

from ...layout import Layout
from ..client import Client
from ..errors import ApiError
from ..kinds import LEASE, NAMESPACE, NODE, Obj, micro_timestamp, timestamp

LOG = logging.getLogger(__name__)
NAME = "lab-node-1"
LEASES = "kube-node-lease"
RENEW = 10.0  # seconds
STATUS_PERIOD = 300.0  # seconds between two reports of an unchanged status
# What the node claims to have, in place of the platform's node group: pods are processes here, and their requests are
# what the scheduler counts, not what they use.
CAPACITY = {"cpu": "16", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"}
PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def status(layout: Layout, previous: Obj | None) -> Obj:
    """The node's status now; transition times go on where nothing changed."""
    old = {found["type"]: found for found in (previous or {}).get("status", {}).get("conditions", [])}

    def condition(name: str, value: str, reason: str, message: str) -> Obj:
        since = old[name]["lastTransitionTime"] if old.get(name, {}).get("status") == value else timestamp()
        times = {"lastHeartbeatTime": timestamp(), "lastTransitionTime": since}
        return {"type": name, "status": value, "reason": reason, "message": message, **times}

    conditions = [condition(name, "False", reason, message) for name, reason, message in PRESSURES]
    conditions.append(condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    return {
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "conditions": conditions,
        "addresses": [
            {"type": "InternalIP", "address": layout.kubelet.host},
            {"type": "Hostname", "address": NAME},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": layout.kubelet.port}},
        "nodeInfo": {
            "architecture": "amd64",
            "operatingSystem": "linux",
            "osImage": "DhakaCart lab: pods are local processes",
            "kernelVersion": platform.release(),
            "kubeletVersion": "v1.28.15-dhakacart-lab",
            "kubeProxyVersion": "",
            "containerRuntimeVersion": "lab://1.0",
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
        },
    }


async def register(client: Client, layout: Layout) -> None:
    """Create the node, or report on the one there is. Tries until the API server answers."""
    pause = 0.1
    while True:
        try:
            await _register(client, layout)
            return
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOG.warning("registration: %s; again in %.1f s", error or type(error).__name__, pause)
            await asyncio.sleep(pause)
            pause = min(5.0, 2 * pause)


async def _register(client: Client, layout: Layout) -> None:
    labels = {
        "NodeGroup": "main",
        "kubernetes.io/hostname": NAME,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": layout.region,
        "topology.kubernetes.io/zone": f"{layout.region}a",
    }
    try:
        await client.create(NODE, "", {"metadata": {"name": NAME, "labels": labels}})
    except ApiError as error:
        if error.code != 409:
            raise
    await report(client, layout)
    try:
        await client.create(NAMESPACE, "", {"metadata": {"name": LEASES}})
    except ApiError as error:
        if error.code != 409:
            raise


async def report(client: Client, layout: Layout) -> None:
    previous = await client.get(NODE, "", NAME)
    await client.patch(NODE, "", NAME, {"status": status(layout, previous)}, "status")


async def heartbeat(client: Client, layout: Layout) -> None:
    """Renew the lease until cancelled; report the status where the control plane gave the node up."""
    clock = asyncio.get_running_loop()
    reported = renewed = clock.time()
    late = True
    while True:
        late = late or clock.time() - renewed > 2 * RENEW  # it was frozen, and may have been given up
        try:
            await _renew(client)
            renewed = clock.time()
            if late or clock.time() - reported > STATUS_PERIOD:
                await report(client, layout)
                reported, late = clock.time(), False
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOG.warning("heartbeat: %s", error or type(error).__name__)
            late = True
            await asyncio.sleep(1.0)
            continue
        await asyncio.sleep(RENEW)


async def _renew(client: Client) -> None:
    spec = {"holderIdentity": NAME, "leaseDurationSeconds": 40, "renewTime": micro_timestamp()}
    try:
        await client.patch(LEASE, LEASES, NAME, {"spec": spec})
    except ApiError as error:
        if error.code != 404:
            raise
        await client.create(LEASE, LEASES, {"metadata": {"name": NAME}, "spec": spec})
