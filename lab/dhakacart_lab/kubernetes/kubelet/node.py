# SPDX-License-Identifier: GPL-3.0-or-later
"""The node of the lab: registration, status and heartbeat."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
import re

import aiohttp

from ...layout import Layout
from ..client import Client
from ..errors import ApiError
from ..kinds import LEASE, NAMESPACE, NODE, Obj, is_true, micro_timestamp, timestamp

LOG = logging.getLogger(__name__)
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


# What an API server may ask of the kubelet's endpoint: with it a 1.36 passes WebSockets on to it as they are, and
# speaks no SPDY, which this kubelet does not know. Sorted.
FEATURES = ["ExtendWebSocketsToKubelet"]
SUFFIX = "-dhakacart-lab"


def version_beside(server: str) -> str:
    """The version the kubelet says it has: the API server's, so that no skew is too large, marked as the lab's.

    :param server: gitVersion of the API server, such as v1.36.3 or v1.33.4-eks-99bf3a2.
    """
    found = re.match(r"v\d+\.\d+\.\d+", server)
    return (found.group() if found else "v0.0.0") + SUFFIX


def status(layout: Layout, name: str, previous: Obj | None, version: str) -> Obj:
    """The status of node ``name`` now; transition times go on where nothing changed."""
    kubelet = layout.kubelets[name]
    old = {found["type"]: found for found in (previous or {}).get("status", {}).get("conditions", [])}

    def condition(kind: str, value: str, reason: str, message: str) -> Obj:
        since = old[kind]["lastTransitionTime"] if old.get(kind, {}).get("status") == value else timestamp()
        times = {"lastHeartbeatTime": timestamp(), "lastTransitionTime": since}
        return {"type": kind, "status": value, "reason": reason, "message": message, **times}

    conditions = [condition(kind, "False", reason, message) for kind, reason, message in PRESSURES]
    conditions.append(condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    return {
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "conditions": conditions,
        "addresses": [
            {"type": "InternalIP", "address": kubelet.host},
            {"type": "Hostname", "address": name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.port}},
        "declaredFeatures": FEATURES,
        "nodeInfo": {
            "architecture": "amd64",
            "operatingSystem": "linux",
            "osImage": "DhakaCart lab: pods are local processes",
            "kernelVersion": platform.release(),
            "kubeletVersion": version,
            "kubeProxyVersion": "",
            "containerRuntimeVersion": "lab://1.0",
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
        },
    }


async def register(client: Client, layout: Layout, name: str) -> None:
    """Create the node, or report on the one there is. Tries until the API server answers."""
    pause = 0.1
    while True:
        try:
            await _register(client, layout, name)
            return
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOG.warning("registration: %s; again in %.1f s", str(error) or type(error).__name__, pause)
            await asyncio.sleep(pause)
            pause = min(5.0, 2 * pause)


async def _register(client: Client, layout: Layout, name: str) -> None:
    zone = "abc"[list(layout.kubelets).index(name) % 3]
    labels = {
        "NodeGroup": "main",
        "dhakacart.com/lab-id": layout.lab_id,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": layout.region,
        "topology.kubernetes.io/zone": layout.region + zone,
    }
    try:
        await client.create(NODE, "", {"metadata": {"name": name, "labels": labels}})
    except ApiError as error:
        if error.code != 409:
            raise
    await report(client, layout, name)


async def report(client: Client, layout: Layout, name: str) -> None:
    previous = await client.get(NODE, "", name)
    version = version_beside(str((await client.request("GET", "/version")).get("gitVersion", "")))
    await client.patch(NODE, "", name, {"status": status(layout, name, previous, version)}, "status")


async def heartbeat(client: Client, layout: Layout, name: str) -> None:
    """Renew the lease until cancelled; report the status where the control plane gave the node up."""
    clock = asyncio.get_running_loop()
    reported = clock.time()
    while True:
        try:
            await _renew(client, name)
            # Whatever the reason: it was frozen, the API server was away, or the clock of either jumped.
            if clock.time() - reported > STATUS_PERIOD or not is_true(await client.get(NODE, "", name), "Ready"):
                await report(client, layout, name)
                reported = clock.time()
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOG.warning("heartbeat: %s", str(error) or type(error).__name__)
            await asyncio.sleep(1.0)
            continue
        await asyncio.sleep(RENEW)


async def _renew(client: Client, name: str) -> None:
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_timestamp()}
    lease = {"metadata": {"name": name}, "spec": spec}
    try:
        await client.patch(LEASE, LEASES, name, {"spec": spec})
        return
    except ApiError as error:
        if error.code != 404:
            raise
    try:
        await client.create(LEASE, LEASES, lease)
    except ApiError as error:
        if error.code != 404:
            raise
        # A real API server makes the namespace itself and lets no node do so: then the next renewal finds it.
        with contextlib.suppress(ApiError):
            await client.create(NAMESPACE, "", {"metadata": {"name": LEASES}})
        await client.create(LEASE, LEASES, lease)
