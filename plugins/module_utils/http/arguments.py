# SPDX-License-Identifier: BSD-2-Clause
"""Options of the HTTP check: where the shop is, which paths, and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..options import PATH, threshold_options


@dataclass(frozen=True)
class Settings:
    """The shop's base URL and the paths asked. An empty path is not asked.

    :param ca_file: certificate authorities to trust; empty takes the system's.
    """

    url: str
    ready_path: str = "/ready"
    live_path: str = "/live"
    health_path: str = "/health"
    products_path: str = "/api/products"
    ca_file: str = field(default="", metadata=PATH)
    validate_certs: bool = True
    timeout: float = 3.0


@dataclass(frozen=True)
class Thresholds:
    """Where observations become bad; at the threshold counts as beyond it."""

    latency_warning_seconds: float = 2.0
    latency_critical_seconds: float = 5.0


ARGUMENTS: dict[str, dict[str, Any]] = {
    "url": {"type": "str", "required": True},
    "ready_path": {"type": "str", "default": "/ready"},
    "live_path": {"type": "str", "default": "/live"},
    "health_path": {"type": "str", "default": "/health"},
    "products_path": {"type": "str", "default": "/api/products"},
    "ca_file": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 3.0},
    "thresholds": {"type": "dict", "apply_defaults": True, "options": threshold_options(Thresholds)},
}
