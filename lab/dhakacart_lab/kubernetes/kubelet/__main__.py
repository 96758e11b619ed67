# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the kubelet of one node until SIGTERM. Its containers go on: the next kubelet takes them over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
import sys
from pathlib import Path

import aiohttp
from aiohttp import web

from ...layout import Layout, read_layout
from ..access import read_kubeconfig
from ..client import Client
from ..kinds import POD, Obj
from . import node, runtime
from .endpoint import Endpoint
from .events import Events
from .pod import PodWorker, folder_of, pods_of
from .serving import server_context

LOG = logging.getLogger(__name__)


class Kubelet:
    """The pods of this node, each with its worker."""

    def __init__(self, layout: Layout, name: str, client: Client, session: aiohttp.ClientSession) -> None:
        self._layout, self._node, self._client, self._session = layout, name, client, session
        self._events = Events(client, name)
        self._addresses = layout.pod_ips(name)
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._next_ip = 0
        self._cleaned = False

    def _folder(self, pod: Obj) -> Path:
        return folder_of(self._layout, self._node, pod)

    def workers(self) -> list[PodWorker]:
        return list(self._workers.values())

    async def run(self) -> None:
        """Follow the pods of the node until cancelled."""
        await node.register(self._client, self._layout, self._node)
        async with asyncio.TaskGroup() as group:
            group.create_task(node.heartbeat(self._client, self._layout, self._node))
            group.create_task(self._events.run())
            query = {"fieldSelector": f"spec.nodeName={self._node}"}
            group.create_task(self._client.follow(POD, query, self._listed, self._changed))

    def _listed(self, pods: list[Obj]) -> None:
        present = {pod["metadata"]["uid"] for pod in pods}
        for uid, worker in self._workers.items():
            if uid not in present:
                worker.removed()
        if not self._cleaned:
            self._end_orphans({self._folder(pod).name for pod in pods})
            self._cleaned = True
        for pod in sorted(pods, key=lambda found: not found.get("status", {}).get("podIP")):
            self._changed("ADDED", pod)  # those that have an address first: they keep it

    def _end_orphans(self, known: set[str]) -> None:
        """End what runs of pods that were deleted while no kubelet was there."""
        root = pods_of(self._layout, self._node)
        for folder in root.iterdir() if root.exists() else ():
            if folder.name in known:
                continue
            for container in filter(Path.is_dir, folder.iterdir()):
                if process := runtime.latest(container):
                    process.signal(signal.SIGKILL)
            LOG.info("ended the orphaned pod %s", folder.name)
            shutil.rmtree(folder, ignore_errors=True)

    def _changed(self, event_type: str, pod: Obj) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if event_type == "DELETED":
            if worker:
                worker.removed()
            return
        if worker:
            worker.update(pod)
            return
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed") and not self._folder(pod).exists():
            return
        worker = PodWorker(self._layout, self._node, self._client, self._session, self._events, pod, self._address(pod))
        worker.update(pod)
        self._workers[uid] = worker
        self._tasks[uid] = asyncio.create_task(self._work(uid, worker))

    async def _work(self, uid: str, worker: PodWorker) -> None:
        try:
            await worker.run()
        except Exception:
            # one pod's fault must not take the other pods' kubelet with it; it is logged whole.
            LOG.exception("pod %s", worker.folder.name)
        finally:
            self._workers.pop(uid, None)
            self._tasks.pop(uid, None)

    def _address(self, pod: Obj) -> str:
        if known := pod.get("status", {}).get("podIP"):
            return str(known)
        used = {worker.pod_ip for worker in self._workers.values()}
        while True:
            address = self._addresses[self._next_ip]
            self._next_ip = (self._next_ip + 1) % len(self._addresses)
            if address not in used:
                return address


async def serve(layout: Layout, name: str) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    own = layout.kubelet_kubeconfig(name)
    client = Client(read_kubeconfig(own if own.exists() else layout.kubeconfig))
    connector = aiohttp.TCPConnector(force_close=True, limit=0)  # a probe opens a connection of its own
    async with aiohttp.ClientSession(connector=connector) as session:
        kubelet = Kubelet(layout, name, client, session)
        runner = web.AppRunner(Endpoint(kubelet.workers).build(), access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        address = layout.kubelets[name]
        await web.TCPSite(runner, address.host, address.port, ssl_context=server_context(layout, name)).start()
        running = asyncio.create_task(kubelet.run())
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        ended_itself = running.done()
        running.cancel()
        await runner.cleanup()
        await client.close()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        if ended_itself:
            raise SystemExit(1)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    asyncio.run(serve(read_layout(Path(sys.argv[1])), sys.argv[2]))


if __name__ == "__main__":
    main()
