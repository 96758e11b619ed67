# SPDX-License-Identifier: BSD-2-Clause
"""Options of the RDS check: connection settings and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..options import PATH, threshold_options


@dataclass(frozen=True)
class Settings:
    """Which instances to read and how to reach AWS.

    :param credentials_file: a shared credentials file; empty takes boto3's own chain.
    :param replica_region: where the replica is, when not in ``region``.
    :param secret: the Secrets Manager id of the database credentials; empty skips it.
    :param metric_period_seconds: over how long CloudWatch averages; RDS has a figure a minute.
    :param salt: random, made for one run; without it no fingerprints of secrets are given.
    """

    region: str
    instance: str
    replica: str = ""
    replica_region: str = ""
    secret: str = ""
    endpoint_url: str = ""
    credentials_file: str = field(default="", metadata=PATH)
    profile: str = ""
    metric_period_seconds: int = 60
    timeout: float = 3.0
    salt: str = field(default="", repr=False)


@dataclass(frozen=True)
class Thresholds:
    """Where observations become bad; at the threshold counts as beyond it."""

    storage_free_warning_pct: float = 20.0
    storage_free_critical_pct: float = 5.0
    metric_age_seconds: float = 900.0
    activity_silence_seconds: float = 240.0
    replica_lag_warning_seconds: float = 60.0
    replica_lag_critical_seconds: float = 300.0
    snapshot_warning_hours: float = 26.0
    snapshot_critical_hours: float = 48.0
    pitr_warning_seconds: float = 600.0
    pitr_critical_seconds: float = 3600.0
    backup_retention_days: int = 30
    multi_az_expected: bool = True
    replica_expected: bool = False
    deletion_protection_expected: bool = True


ARGUMENTS: dict[str, dict[str, Any]] = {
    "region": {"type": "str", "required": True},
    "instance": {"type": "str", "required": True},
    "replica": {"type": "str"},
    "replica_region": {"type": "str"},
    "secret": {"type": "str", "no_log": False},
    "endpoint_url": {"type": "str"},
    "credentials_file": {"type": "path"},
    "profile": {"type": "str"},
    "metric_period_seconds": {"type": "int", "default": 60},
    "timeout": {"type": "float", "default": 3.0},
    "salt": {"type": "str", "no_log": True},
    "thresholds": {"type": "dict", "apply_defaults": True, "options": threshold_options(Thresholds)},
}
