# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody asks for. Plain data; ``catalogue.Catalogue`` says whether it makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunRequest:
    """One run of one runbook.

    :param runbook: its slug, e.g. ``database-failure``.
    :param sections: tags in any order; none is a bare run, which reads only.
    :param inventory: a name under ``inventories/`` (``staging``), or a path; None is the lab.
    :param overlays: further inventories, read after it; what they set wins.
    :param target: host or group instead of ``primary``, e.g. ``dr``.
    :param branch: the resolution branch, instead of the one the evidence recommends.
    :param variables: further extra variables. Secrets are refused: they belong into files that the inventory names.
    :param check: say what would be changed, and change nothing.
    :param approve: why the change is approved; recorded. None: not approved (a change then asks, or stops).
    :param timeout: seconds after which the run is ended; None: no limit.
    :param incident: the folder name of an incident that the run belongs to; None: the open one, or a new one.
    """

    runbook: str
    sections: tuple[str, ...] = ()
    inventory: str | None = None
    overlays: tuple[str, ...] = ()
    target: str | None = None
    branch: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    approve: str | None = None
    timeout: float | None = None
    incident: str | None = None
