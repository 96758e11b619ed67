# SPDX-License-Identifier: BSD-2-Clause
"""Kubernetes as one of the systems that ``platform_facts`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding
from ..options import build
from . import arguments, checks, facts

NAME = "kubernetes"
ARGUMENTS = arguments.ARGUMENTS


def read(params: Mapping[str, Any]) -> dict[str, Any]:
    """The facts; see :func:`facts.read`."""
    return facts.read(build(arguments.Settings, params, NAME))


def judge(observed: Mapping[str, Any], params: Mapping[str, Any]) -> list[Finding]:
    """The findings; thresholds are ``params["thresholds"]``."""
    thresholds = build(arguments.Thresholds, params.get("thresholds"), f"{NAME}.thresholds", strict=True)
    return checks.judge(observed, thresholds)
