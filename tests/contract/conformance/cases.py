# SPDX-License-Identifier: GPL-3.0-or-later
"""All scenarios, what the real server answered to them, and how to reach a server by its kubeconfig."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dhakacart_lab.kubernetes.access import read_kubeconfig

from .scenario import SCENARIOS as SCENARIOS
from .scenarios import (  # noqa: F401 - each registers its scenarios
    agreements,
    applying,
    defaulting,
    discovering,
    evicting,
    losing,
    reading,
    refusals,
    rolling,
    validation,
    writing,
)
from .wire import Wire

GOLDEN = Path(__file__).with_name("golden")


def wires(kubeconfig: Path) -> tuple[Wire, Wire]:
    """The administrator's and the reader's way to the server of a kubeconfig."""
    admin, reader = (read_kubeconfig(kubeconfig, context) for context in ("lab", "lab-readonly"))
    return Wire(admin.server, admin.token, admin.tls), Wire(reader.server, reader.token, reader.tls)


def golden(name: str) -> list[dict[str, Any]]:
    """The steps that were recorded from the real server."""
    found: list[dict[str, Any]] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["steps"]
    return found
