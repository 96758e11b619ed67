# SPDX-License-Identifier: GPL-3.0-or-later
"""One container of a pod: start, probe, wait for its end, back off, start again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ...layout import Layout
from ...process import environment
from ..client import Client
from ..errors import ApiError
from ..kinds import Obj
from . import images, probes, runtime, variables
from .backoff import BackOff

# Tells a process where to listen: an address of the pod network is one for Kubernetes only.
LISTEN = "LAB_LISTEN_ADDRESS"
SYNC_RETRY = 10.0  # seconds until a missing secret is looked for again, as a kubelet's backOffPeriod


@dataclass(frozen=True)
class Surroundings:
    """What a container needs of its kubelet and pod."""

    layout: Layout
    client: Client
    session: aiohttp.ClientSession
    folder: Path  # of the pod
    pod: Callable[[], Obj]
    pod_ip: str
    changed: Callable[[], None]
    event: Callable[[str, str, str, str], None]  # type, reason, message, container name


class Container:
    """Its ``state`` and ``last_state`` are as in a pod's status."""

    def __init__(self, spec: Obj, around: Surroundings, known: Obj | None, *, init: bool = False) -> None:
        self.spec, self.name, self._around, self._init = spec, str(spec["name"]), around, init
        self.folder = around.folder / self.name
        self.state: Obj = {"waiting": {"reason": "PodInitializing" if init else "ContainerCreating"}}
        self.last_state: Obj = (known or {}).get("lastState") or {}
        self.restarts = int((known or {}).get("restartCount", 0))
        self.ready, self.started = False, False
        self.process: runtime.Process | None = runtime.latest(self.folder)
        if self.process and known:
            # taken over as it was last reported: a restart of the kubelet must not look like one of the container.
            self.state, self.restarts = known["state"], max(self.restarts, self.process.restart)
            self.ready, self.started = bool(known.get("ready")), bool(known.get("started"))
        self.stopping = False
        self.executions: set[int] = set()  # the commands that are executed in it, by process id
        self._back_off = BackOff()
        self._env: dict[str, str] = {}

    def status(self) -> Obj:
        """Its entry in containerStatuses."""
        image = str(self.spec["image"])
        found = {"name": self.name, "image": image, "imageID": "", "restartCount": self.restarts}
        if self.process:
            found |= {"imageID": f"docker.io/{image}", "containerID": f"lab://{self.process.pid}"}
        return {
            **found,
            "ready": self.ready,
            "started": self.started,
            "state": self.state,
            "lastState": self.last_state,
        }

    def environment(self) -> dict[str, str]:
        """What a process in the container has in its environment."""
        return environment(self._around.layout, self._env)

    def _end_executions(self) -> None:
        """What was executed in the container ends with it."""
        for leader in self.executions:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)

    def log_file(self, *, previous: bool) -> Path | None:
        """The log of the present or last run, or of the one before; None where there was none."""
        if self.process is None:
            return None
        number = self.process.restart
        if previous and "running" in self.state:
            number -= 1
        if previous and "terminated" not in self.last_state:
            return None
        return self.folder / f"{number}.log" if number >= 0 else None

    async def run(self) -> int:
        """Keep the container as its pod's restartPolicy asks; its exit code once it is not to run again."""
        code = await self._adopt()
        while code is None:
            if not await self._start():
                continue
            code = await self._attend()
        return code

    async def _adopt(self) -> int | None:
        """Take over the run that a former kubelet left; its exit code where it ended for good."""
        if self.process is None:
            return None
        with contextlib.suppress(variables.ConfigError, ApiError, aiohttp.ClientError, TimeoutError):
            await self._resolve()  # for exec probes
        return await self._attend()

    async def _resolve(self) -> images.Image | None:
        image = images.find(str(self.spec["image"]))
        if image is not None:
            around = self._around
            env = await variables.resolve(around.client, around.pod(), self.spec, image)
            self._env = {**env, LISTEN: around.layout.dialled(around.pod_ip)}
        return image

    async def _start(self) -> bool:
        """Start once; False, after a wait, where that was not possible."""
        try:
            image = await self._resolve()
            if image is None:
                await self._image_missing()
                return False
            reference = self.spec["image"]
            self._event("Normal", "Pulled", f'Container image "{reference}" already present on machine')
            argv = images.command_of(image, self.spec, self._env)
            if not argv:
                raise runtime.StartError("no command specified")
            again = self.process is not None
            restart = self.process.restart + 1 if self.process else 0
            self.process = await runtime.start(self._around.layout, self.folder, restart, argv, self._env)
        except variables.ConfigError as error:
            self._wait_with("CreateContainerConfigError", str(error))
            self._event("Warning", "Failed", f"Error: {error}")
        except runtime.StartError as error:
            self._wait_with("RunContainerError", str(error))
            self._event("Warning", "Failed", f"Error: {error}")
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            self._wait_with("CreateContainerConfigError", f"failed to sync: {str(error) or type(error).__name__}")
        else:
            self._event("Normal", "Created", f"Created container {self.name}")
            self._event("Normal", "Started", f"Started container {self.name}")
            self.started, self.ready = "startupProbe" not in self.spec, False
            self.restarts += again
            runtime.forget_old(self.folder, self.process.restart)
            return True
        await asyncio.sleep(SYNC_RETRY)
        return False

    async def _image_missing(self) -> None:
        """Report as a kubelet does between two pulls, and wait until the next."""
        reference = str(self.spec["image"])
        why = images.refusal(reference)
        self._event("Normal", "Pulling", f'Pulling image "{reference}"')
        self._event("Warning", "Failed", f'Failed to pull image "{reference}": {why}')
        self._event("Warning", "Failed", "Error: ErrImagePull")
        self._wait_with("ErrImagePull", why)
        self._back_off.step(asyncio.get_running_loop().time())
        await asyncio.sleep(1.0)  # long enough for a watcher to see it, as the sync in between does
        self._wait_with("ImagePullBackOff", f'Back-off pulling image "{reference}"')
        self._event("Normal", "BackOff", f'Back-off pulling image "{reference}"')
        self._event("Warning", "Failed", "Error: ImagePullBackOff")
        await asyncio.sleep(self._back_off.wait)

    def _wait_with(self, reason: str, message: str) -> None:
        if "terminated" in self.state:
            self.last_state = self.state
        self.state, self.ready, self.started = {"waiting": {"reason": reason, "message": message}}, False, False
        self._around.changed()

    def _event(self, event_type: str, reason: str, message: str) -> None:
        self._around.event(event_type, reason, message, self.name)

    async def _attend(self) -> int | None:
        """Probe the running container until it ends; its exit code, or None where it is to start again."""
        assert self.process
        process, clock = self.process, asyncio.get_running_loop()
        if "terminated" in self.state:
            self.last_state = self.state
        self.state = {"running": {"startedAt": _seconds(process.started)}}
        if self.started and "readinessProbe" not in self.spec:
            self.ready = True
        if process.running:
            self._around.changed()
        watching = [] if self._init else [asyncio.create_task(self._probe(clock.time()))]
        try:
            ended = await process.wait()
        finally:
            for task in watching:
                task.cancel()
        self._end_executions()
        reason = "ContainerStatusUnknown" if ended.lost else "Completed" if ended.code == 0 else "Error"
        terminated = {"exitCode": ended.code, "reason": reason, "containerID": f"lab://{process.pid}"}
        terminated |= {"startedAt": _seconds(process.started), "finishedAt": _seconds(ended.finished)}
        self.state, self.ready, self.started = {"terminated": terminated}, False, False
        self._around.changed()
        policy = self._around.pod()["spec"].get("restartPolicy", "Always")
        again = (policy != "Never" and ended.code != 0) or (policy == "Always" and not self._init)
        if self.stopping or not again:
            return ended.code
        await self._back(clock.time())
        return None

    async def _back(self, ended: float) -> None:
        clock = asyncio.get_running_loop()
        if wait := self._back_off.left(ended):
            meta = self._around.pod()["metadata"]
            where = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
            length = f"{int(wait)}s" if wait < 60 else f"{int(wait) // 60}m{int(wait) % 60}s"
            text = f"back-off {length} restarting failed container={self.name} pod={where}"
            self._wait_with("CrashLoopBackOff", text)
            short = f"Back-off restarting failed container {self.name} in pod {where}"
            self._event("Warning", "BackOff", short)
            await asyncio.sleep(max(0.0, ended + wait - clock.time()))
        self._back_off.step(clock.time())

    async def _probe(self, started_at: float) -> None:
        """Startup first; once it passed, liveness and readiness side by side."""
        around = self._around
        dialled = around.layout.dialled(around.pod_ip)
        target = probes.Target(around.session, dialled, self.spec, self.environment(), self.folder)

        if "startupProbe" in self.spec and not self.started:
            passed = asyncio.Event()

            async def startup(healthy: bool) -> None:
                if healthy:
                    passed.set()
                else:
                    await self._kill_unhealthy("startup")

            first = asyncio.create_task(
                probes.loop(target, self.spec["startupProbe"], started_at, self._heard("Startup"), startup)
            )
            try:
                await passed.wait()
            finally:
                first.cancel()
        self.started = True
        if "readinessProbe" not in self.spec:
            self.ready = True
        around.changed()

        async def readiness(healthy: bool) -> None:
            if healthy != self.ready:
                self.ready = healthy
                around.changed()

        async def liveness(healthy: bool) -> None:
            if not healthy:
                await self._kill_unhealthy("liveness")

        async with asyncio.TaskGroup() as group:
            if probe := self.spec.get("readinessProbe"):
                group.create_task(probes.loop(target, probe, started_at, self._heard("Readiness"), readiness))
            if probe := self.spec.get("livenessProbe"):
                group.create_task(probes.loop(target, probe, started_at, self._heard("Liveness"), liveness))

    def _heard(self, kind: str) -> Callable[[str], None]:
        """What is done about each failure of a probe."""
        around = self._around
        dialled = around.layout.dialled(around.pod_ip)

        def failed(problem: str) -> None:
            # to Kubernetes the pod has its address of the pod network
            told = problem.replace(dialled, around.pod_ip)
            self._event("Warning", "Unhealthy", f"{kind} probe failed: {told}")

        return failed

    async def _kill_unhealthy(self, kind: str) -> None:
        probe = self.spec[f"{kind}Probe"]
        self._event("Normal", "Killing", f"Container {self.name} failed {kind} probe, will be restarted")
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is None:
            grace = self._around.pod()["spec"].get("terminationGracePeriodSeconds", 30)
        self.kill(float(grace))
        await asyncio.Event().wait()  # no more probes: the end of the process cancels this

    def kill(self, grace: float) -> None:
        """SIGTERM now, SIGKILL after ``grace`` seconds."""
        if process := self.process:
            process.signal(signal.SIGTERM)
            asyncio.get_running_loop().call_later(grace, process.signal, signal.SIGKILL)


def _seconds(moment: str) -> str:
    """metav1.Time of a time with nanoseconds."""
    return moment[:19] + "Z"
