# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, repair and end the four processes of the control plane."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import psutil

from ... import process
from ...layout import Address, LabError
from ..access import read_kubeconfig, write_kubeconfig
from ..errors import ApiError
from ..pki import Authority
from ..providers.base import Provider
from . import bootstrap, components, credentials
from .binaries import Binaries, find_binaries
from .components import API_SERVER, CONTROLLER_MANAGER, ETCD, METRICS, PROGRAMS, SCHEDULER
from .credentials import Credentials

ETCD_START = 20.0  # seconds
API_START = 60.0  # seconds; 3 s on a machine at rest
CONTROLLERS_START = 30.0  # seconds
ASKED = 2.0  # seconds a health check may take


class ControlPlane(Provider):
    """Real etcd, kube-apiserver, kube-controller-manager and kube-scheduler, with TLS and RBAC."""

    components: ClassVar[Mapping[str, str]] = {
        ETCD: "etcd",
        API_SERVER: "the Kubernetes API server",
        CONTROLLER_MANAGER: "the controller manager",
        SCHEDULER: "the scheduler",
        METRICS: "the metrics server",
    }

    def start(self) -> None:
        layout = self.layout
        # Whole already: nothing is looked for, so a lab goes on when its programs' folder is away.
        binaries = None if self._all_run() else find_binaries()
        files = credentials.prepare(layout)
        write_kubeconfig(layout, credentials.server_url(layout), authority=files.authority.read_text(encoding="ascii"))
        self._launch(ETCD, binaries, files)
        self._wait(ETCD, lambda: _answers(components.etcd_client(layout), "/health", _client_of(files)), ETCD_START)
        if process.find(layout, API_SERVER) is None:
            # Their watches of the one that died wait up to 30 s before they try again, and nothing moves until then.
            for component in (CONTROLLER_MANAGER, SCHEDULER):
                process.stop(layout, component)
        self._launch(API_SERVER, binaries, files)
        self._wait(API_SERVER, self._api_ready, API_START)
        # Not before: they would begin with refusals, until the API server has made their rights.
        self._launch(CONTROLLER_MANAGER, binaries, files)
        self._launch(SCHEDULER, binaries, files)
        self._bootstrap()
        process.start_python(layout, METRICS, "dhakacart_lab.kubernetes.metrics")
        self._wait(CONTROLLER_MANAGER, self._controllers_work, CONTROLLERS_START)

    def stop(self) -> None:
        process.stop(self.layout, METRICS)
        for component in reversed(list(PROGRAMS)):  # the API server before etcd: without it, it does not end by itself
            process.stop(self.layout, component)

    def answers(self) -> bool:
        return self._api_ready() and super().answers()

    def _all_run(self) -> bool:
        return all(process.find(self.layout, component) for component in PROGRAMS)

    def _launch(self, component: str, binaries: Binaries | None, files: Credentials) -> psutil.Process:
        if running := process.find(self.layout, component):
            return running
        program = (binaries or find_binaries()).path(PROGRAMS[component])
        return process.start(self.layout, component, components.argv(self.layout, component, program, files))

    def _wait(self, component: str, ready: Callable[[], bool], timeout: float) -> None:
        log = self.layout.logs / f"{component}.log"

        def ready_or_dead() -> bool:
            if process.find(self.layout, component) is None:
                said = f"{self.components[component]} ended at once ({last_words(log)})"
                raise LabError(f"{said}; its output: {log}; remedy: correct that, then runbook lab up")
            return ready()

        process.wait_for(self.components[component], ready_or_dead, timeout=timeout, log=log)

    def _api_ready(self) -> bool:
        try:
            access = read_kubeconfig(self.layout.kubeconfig)
        except LabError:
            return False
        return access.tls is not None and _answers(self.layout.kubernetes_api, "/readyz", access.tls, access.headers)

    def _bootstrap(self) -> None:
        authority = Authority.open(self.layout)
        try:
            bootstrap.apply(self.layout, self.api, authority)
        except ApiError as error:
            raise LabError(f"the control plane's first objects: {error}; remedy: runbook lab up") from None

    def _controllers_work(self) -> bool:
        """A namespace has its service account: without one no pod is admitted."""
        try:
            self.api.get("serviceaccounts", "default", namespace="default")
        except (ApiError, LabError):
            return False
        return True


def last_words(log: Path) -> str:
    """What a program said last of why it ended, in one line of at most 200 characters."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    # Kubernetes' programs put the reason last; "command failed" is klog's, the text after it theirs.
    last = lines[-1] if lines else "it said nothing"
    with contextlib.suppress(ValueError, AttributeError):
        found = json.loads(last)
        last = str(found.get("error") or found.get("msg") or last)
    return last[:200]


def _client_of(files: Credentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.authority))
    context.load_cert_chain(files.etcd_client.certificate, files.etcd_client.key)
    return context


def _answers(address: Address, path: str, tls: ssl.SSLContext, headers: Mapping[str, str] | None = None) -> bool:
    """Whether a health check is answered with 200."""
    connection = http.client.HTTPSConnection(address.host, address.port, timeout=ASKED, context=tls)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.status == 200
