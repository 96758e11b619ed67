# SPDX-License-Identifier: BSD-2-Clause
"""Options of the Redis check: connection settings and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..options import PATH, threshold_options


@dataclass(frozen=True)
class Settings:
    """How to reach Redis. The token is read from ``token_file``, never given as an option."""

    host: str
    port: int = 6379
    tls: bool = False
    token_file: str = field(default="", metadata=PATH)
    user: str = ""
    timeout: float = 3.0


@dataclass(frozen=True)
class Thresholds:
    """Where observations become bad; at the threshold counts as beyond it."""

    memory_warning_pct: float = 80.0
    memory_critical_pct: float = 95.0
    clients_warning_pct: float = 80.0
    evictions_warning: int = 1
    hit_rate_warning_pct: float = 80.0
    hit_rate_samples: int = 100


ARGUMENTS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 6379},
    "tls": {"type": "bool", "default": False},
    "token_file": {"type": "path", "no_log": False},
    "user": {"type": "str"},
    "timeout": {"type": "float", "default": 3.0},
    "thresholds": {"type": "dict", "apply_defaults": True, "options": threshold_options(Thresholds)},
}
