# SPDX-License-Identifier: GPL-3.0-or-later
"""One pod: its containers, its status towards the API server, its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from pathlib import Path

import aiohttp

from ...layout import Layout
from ..client import Client
from ..errors import ApiError
from ..kinds import POD, Obj, timestamp
from .container import Container, Surroundings
from .events import Events

LOG = logging.getLogger(__name__)
OURS = {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"}
UNSENT = (aiohttp.ClientError, TimeoutError)


def pods_of(layout: Layout, node: str) -> Path:
    """Where a node keeps its pods' folders."""
    return layout.folder / "pods" / node


def folder_of(layout: Layout, node: str, pod: Obj) -> Path:
    meta = pod["metadata"]
    return pods_of(layout, node) / f"{meta['namespace']}_{meta['name']}_{meta['uid']}"


def _told(status: Obj) -> Obj:
    """What the kubelet alone decides about a pod."""
    told = {found["type"]: found["status"] for found in status.get("conditions") or [] if found["type"] in OURS}
    return {**told, "phase": status.get("phase"), "podIP": status.get("podIP")}


class PodWorker:
    """Runs one pod until it is deleted."""

    def __init__(
        self,
        layout: Layout,
        node: str,
        client: Client,
        session: aiohttp.ClientSession,
        events: Events,
        pod: Obj,
        pod_ip: str,
    ) -> None:
        self.pod, self.pod_ip, self._client = pod, pod_ip, client
        self._host = layout.kubelets[node].host
        self.folder = folder_of(layout, node, pod)
        self._dirty = asyncio.Event()
        self._deleted = asyncio.Event()
        self._gone = False
        self._sent: Obj = {}
        known_conditions = pod.get("status", {}).get("conditions") or []
        self._conditions: list[Obj] = [dict(found) for found in known_conditions if found["type"] in OURS]
        self._started = pod.get("status", {}).get("startTime") or timestamp()
        around = Surroundings(
            layout=layout,
            client=client,
            session=session,
            folder=self.folder,
            pod=lambda: {**self.pod, "status": {"podIP": pod_ip, "hostIP": self._host}},
            pod_ip=pod_ip,
            changed=self._dirty.set,
            event=lambda kind, reason, message, name: events.record(self.pod, kind, reason, message, name),
        )
        self._event = around.event
        status = pod.get("status", {})
        known = {s["name"]: s for s in [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]}
        self.init = [
            Container(s, around, known.get(s["name"]), init=True) for s in pod["spec"].get("initContainers") or []
        ]
        self.containers = [Container(s, around, known.get(s["name"])) for s in pod["spec"]["containers"]]
        self._initialized = not self.init

    def update(self, pod: Obj) -> None:
        """The API server's new state of the pod."""
        before = self._grace
        self.pod = pod
        if self._sent and _told(pod.get("status", {})) != _told(self._sent):
            self._sent = {}  # somebody else wrote, as the node controller does for a node it lost: say it again
            self._dirty.set()
        if "deletionTimestamp" in pod["metadata"]:
            if self._deleted.is_set() and self._grace != before:
                self._kill_all()  # a second deletion made the grace period shorter
            self._deleted.set()

    def removed(self) -> None:
        """The pod is gone from the API server: nothing is left to report."""
        self._gone = True
        self._deleted.set()

    @property
    def _grace(self) -> float:
        return 2.0 if self._gone else float(self.pod["metadata"].get("deletionGracePeriodSeconds") or 0)

    async def run(self) -> None:
        """Until the pod is deleted and its processes have ended."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        reporting = asyncio.create_task(self._report())
        running = asyncio.create_task(self._run_containers())
        try:
            await self._deleted.wait()
            await self._end(running)
        finally:
            reporting.cancel()
            running.cancel()
        if not self._gone:
            await self._last_words()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _run_containers(self) -> None:
        self._dirty.set()
        for container in self.init:
            if await container.run() != 0:
                return
        self._initialized = True
        async with asyncio.TaskGroup() as group:
            for container in self.containers:
                group.create_task(container.run())

    async def _end(self, running: asyncio.Task[None]) -> None:
        everyone = [*self.init, *self.containers]
        for container in everyone:
            container.stopping = True
            if "running" in container.state:
                self._event("Normal", "Killing", f"Stopping container {container.name}", container.name)
        self._kill_all()
        waits = [c.process.wait() for c in everyone if c.process and "running" in c.state]
        await asyncio.gather(*waits)
        await asyncio.sleep(0)
        # what is left waits in a back-off or for a start; a start under way is seen through, then ended.
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        for container in everyone:
            if container.process and container.process.running:
                container.kill(0)
                await container.process.wait()

    def _kill_all(self) -> None:
        for container in [*self.init, *self.containers]:
            container.kill(self._grace)

    async def _last_words(self) -> None:
        """Report the end, then take the pod off the API server."""
        meta, pause = self.pod["metadata"], 0.2
        while not self._gone:
            try:
                with contextlib.suppress(ApiError):
                    await self._send()
                await self._client.delete(POD, meta["namespace"], meta["name"], uid=meta["uid"])
                return
            except ApiError as error:
                if error.code not in (404, 409):
                    LOG.warning("pod %s/%s not deleted: %s", meta["namespace"], meta["name"], error)
                return
            except UNSENT:
                await asyncio.sleep(pause)
                pause = min(5.0, 2 * pause)

    async def _report(self) -> None:
        """Send the status whenever it changes, and again until it arrives."""
        pause = 0.2
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                await self._send()
                pause = 0.2
            except ApiError as error:
                if error.code in (404, 409):  # the pod is gone or is another one: the watch will say so
                    continue
                LOG.warning("status of %s refused: %s", self.pod["metadata"]["name"], error)
                await asyncio.sleep(5.0)
                self._dirty.set()
            except UNSENT:
                await asyncio.sleep(pause)
                pause = min(5.0, 2 * pause)
                self._dirty.set()

    async def _send(self) -> None:
        status = self._status()
        if status == self._sent:
            return
        meta = self.pod["metadata"]
        patch = {"metadata": {"uid": meta["uid"]}, "status": status}
        await self._client.patch(POD, meta["namespace"], meta["name"], patch, "status")
        self._sent = status

    def _status(self) -> Obj:
        phase = self._phase()
        unready = [c.name for c in self.containers if not c.ready]
        if phase == "Succeeded":
            self._set("Ready", False, "PodCompleted")
            self._set("ContainersReady", False, "PodCompleted")
        else:
            why = f"containers with unready status: [{' '.join(unready)}]" if unready else ""
            for name in ("Ready", "ContainersReady"):
                self._set(name, not unready, "ContainersNotReady" if unready else "", why)
        self._set("PodReadyToStartContainers", phase not in ("Succeeded", "Failed"))
        waiting = [c.name for c in self.init if c.state.get("terminated", {}).get("exitCode") != 0]
        why = f"containers with incomplete status: [{' '.join(waiting)}]"
        if self._initialized:
            self._set("Initialized", True)
        else:
            self._set("Initialized", False, "ContainersNotInitialized", why)
        status: Obj = {
            "phase": phase,
            "hostIP": self._host,
            "hostIPs": [{"ip": self._host}],
            "podIP": self.pod_ip,
            "podIPs": [{"ip": self.pod_ip}],
            "startTime": self._started,
            "conditions": [dict(found) for found in self._conditions],
            "containerStatuses": [container.status() for container in self.containers],
        }
        if generation := self.pod["metadata"].get("generation"):
            status["observedGeneration"] = generation
        if self.init:
            status["initContainerStatuses"] = [container.status() for container in self.init]
        return status

    def _set(self, name: str, value: bool, reason: str = "", message: str = "") -> None:
        old = next((found for found in self._conditions if found["type"] == name), None)
        status = str(value)
        since = old["lastTransitionTime"] if old and old["status"] == status else timestamp()
        new: Obj = {"type": name, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
        new |= {key: text for key, text in (("reason", reason), ("message", message)) if text}
        for key in ("reason", "message"):
            if old and key in old and key not in new:
                new[key] = None  # a strategic merge takes away what is null
        self._conditions = [found for found in self._conditions if found["type"] != name] + [new]

    def _phase(self) -> str:
        """As the kubelet derives it from the containers' states."""
        policy = self.pod["spec"].get("restartPolicy", "Always")
        if not self._initialized:
            failed = any(c.state.get("terminated", {}).get("exitCode", 0) for c in self.init)
            return "Failed" if failed and policy == "Never" else "Pending"
        states = [(c.state, c.last_state) for c in self.containers]
        if any("waiting" in state and "terminated" not in last for state, last in states):
            return "Pending"
        if any("running" in state for state, _ in states):
            return "Running"
        codes = [(s.get("terminated") or last["terminated"])["exitCode"] for s, last in states]
        if "deletionTimestamp" not in self.pod["metadata"] and policy == "Always":
            return "Running"
        if not any(codes):
            return "Succeeded"
        return "Running" if policy == "OnFailure" and not self._deleted.is_set() else "Failed"
