# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS of the lab: moto with DhakaCart's resources, wired to the lab's real PostgreSQL."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .. import process
from ..layout import LabError, Layout
from .clients import client, write_credentials

__all__ = ["Aws", "client", "write_credentials"]

COMPONENT = "aws"
START_TIMEOUT = 30.0
PATIENCE = 3.0  # seconds for a living component to answer before it is replaced


class Aws:
    """The AWS of one lab."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def up(self) -> None:
        """Write the credentials file, start the component, wait until it is healthy. A healthy one is left alone.

        It needs no PostgreSQL to be up: what has no server yet reports no metrics.
        """
        write_credentials(self.layout)
        log = self.layout.logs / f"{COMPONENT}.log"

        def ready() -> bool:
            if process.find(self.layout, COMPONENT) is None:
                raise LabError(f"aws ended while it started: {_last_line(log)}; its output: {log}")
            return not self.healthy()

        if process.find(self.layout, COMPONENT) and not self._recovers():
            self.down()
        self._start()
        process.wait_for("aws", ready, timeout=START_TIMEOUT, log=log)

    def _recovers(self) -> bool:
        """Whether the living component is healthy, within PATIENCE seconds; a frozen or dying one is not."""
        try:
            process.wait_for("aws", lambda: not self.healthy(), timeout=PATIENCE)
        except LabError:
            return False
        return process.find(self.layout, COMPONENT) is not None

    def _start(self) -> None:
        # The bridge starts servers: with the programs that the rest of the lab uses.
        chosen = {name: os.environ[name] for name in ("DHAKACART_PG_BIN",) if name in os.environ}
        process.start_python(self.layout, COMPONENT, "dhakacart_lab.aws.server", extra_env=chosen)

    def down(self) -> None:
        """End the component. Its state stays in the folder."""
        process.stop(self.layout, COMPONENT, timeout=3)

    def healthy(self) -> list[str]:
        """What is wrong, in words, within about two seconds; empty when all is well."""
        try:
            found = self._call("GET", "health", timeout=2)
        except LabError as error:
            return [str(error)]
        return [str(problem) for problem in found]

    def reset(self) -> None:
        """RDS, security group and database secret as after the first start, the servers being so already.

        Call it after the real PostgreSQL was restored. Waits for an RDS action that is still at work.
        """
        self._call("POST", "reset", timeout=90)

    def facts_digest(self) -> dict[str, Any]:
        """What DescribeDBInstances, the versions of secrets and the database's security group say.

        Two calls give equal values unless something changed in between; values of secrets are in it as digests only.
        """
        found = self._call("GET", "facts", timeout=5)
        if not isinstance(found, dict):
            raise LabError(f"aws at {self.layout.aws} answered facts that are none; remedy: runbook lab up")
        return found

    def _call(self, method: str, what: str, *, timeout: float) -> Any:
        request = urllib.request.Request(f"http://{self.layout.aws}/lab/{what}", method=method)
        # No proxy of the caller's environment stands between a lab and itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise LabError(f"aws at {self.layout.aws}: {error.read(500).decode('utf-8', 'replace').strip()}") from None
        except (OSError, ValueError) as error:
            raise LabError(
                f"aws at {self.layout.aws} does not answer ({getattr(error, 'reason', error)}); remedy: runbook lab up"
            ) from None


def _last_line(log: Path) -> str:
    try:
        return (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing was said"])[-1]
    except FileNotFoundError:
        return "nothing was said"
