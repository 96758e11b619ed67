# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own API server and controllers: no program but Python is needed, and a lab is up in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ... import process
from ..access import write_kubeconfig
from .base import Provider

SERVER_START = 15.0  # seconds


class Simulated(Provider):
    """API server and controllers in one process."""

    components: ClassVar[Mapping[str, str]] = {"kubernetes": "the Kubernetes API server"}

    def start(self) -> None:
        layout = self.layout
        write_kubeconfig(layout, f"http://{layout.kubernetes_api}")
        process.start_python(layout, "kubernetes", "dhakacart_lab.kubernetes.server")
        log = layout.logs / "kubernetes.log"
        process.wait_for("the Kubernetes API", self.answers, timeout=SERVER_START, log=log, interval=0.02)

    def stop(self) -> None:
        process.stop(self.layout, "kubernetes")
