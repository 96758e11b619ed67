# SPDX-License-Identifier: BSD-2-Clause
"""Options of the PostgreSQL checks: connection settings and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..options import PATH, threshold_options


@dataclass(frozen=True)
class Settings:
    """How to reach the two servers. The password comes from ``passfile`` only, read by libpq.

    :param timeout: seconds for reaching one server, and again for reading from it.
    :param app_user: the role the shop logs in with; its sessions are told apart from others.
    :param sessions: also return every client session (what an action needs to choose from), at most 1000.
    """

    host: str
    port: int = 5432
    replica_host: str = ""
    replica_port: int = 5432
    dbname: str = "dhakacart"
    user: str = "dhakacart_admin"
    app_user: str = "dhakacart"
    passfile: str = field(default="", metadata=PATH)
    sslmode: str = "prefer"
    timeout: float = 3.0
    sessions: bool = False


@dataclass(frozen=True)
class Thresholds:
    """Where observations become bad; at the threshold counts as beyond it. Defaults from the platform's objectives."""

    connections_warning_pct: float = 80.0
    connections_critical_pct: float = 95.0
    lag_warning_seconds: float = 60.0
    lag_critical_seconds: float = 300.0
    receiver_silence_seconds: float = 5.0
    blocked_warning_seconds: float = 5.0
    blocked_critical_seconds: float = 60.0
    blocked_critical_sessions: int = 10
    long_query_warning_seconds: float = 5.0
    long_query_critical_seconds: float = 60.0
    idle_in_transaction_warning_seconds: float = 60.0
    idle_in_transaction_critical_seconds: float = 300.0
    slow_query_log_seconds: float = 1.0
    slot_retained_warning_gb: float = 2.0
    slot_retained_critical_gb: float = 10.0
    asynchronous_accepted: bool = False
    archiving_expected: bool = True


ARGUMENTS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 5432},
    "replica_host": {"type": "str"},
    "replica_port": {"type": "int", "default": 5432},
    "dbname": {"type": "str", "default": "dhakacart"},
    "user": {"type": "str", "default": "dhakacart_admin"},
    "app_user": {"type": "str", "default": "dhakacart"},
    "passfile": {"type": "path"},
    "sslmode": {
        "type": "str",
        "default": "prefer",
        "choices": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
    },
    "timeout": {"type": "float", "default": 3.0},
    "sessions": {"type": "bool", "default": False},
    "thresholds": {"type": "dict", "apply_defaults": True, "options": threshold_options(Thresholds)},
}
