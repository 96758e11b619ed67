# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pod's environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..layout import LabError


@dataclass(frozen=True)
class Settings:
    """Addresses and credentials of one backend pod. ``redis_host`` is empty where no Redis is configured."""

    host: str
    port: int
    db_host: str
    db_port: int
    db_name: str
    db_user: str
    db_password: str = field(repr=False)
    db_pool_max: int
    redis_host: str
    redis_port: int
    redis_password: str = field(repr=False)
    version: str
    environment: str
    memory_limit_mb: int


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in ``environ``; raises LabError naming the variable that is missing or no number."""

    def required(name: str) -> str:
        if value := environ.get(name):
            return value
        raise LabError(f"environment: {name} is not set; remedy: set it from the Secret dhakacart-secrets")

    def number(name: str, default: int) -> int:
        value = environ.get(name) or str(default)
        if value.isascii() and value.isdigit() and int(value) > 0:
            return int(value)
        raise LabError(f"environment: {name}={value!r} is not a positive whole number; remedy: correct it or unset it")

    return Settings(
        # The lab's pods listen elsewhere than Kubernetes thinks; see layout.py.
        host=environ.get("LAB_LISTEN_ADDRESS") or environ.get("POD_IP") or "127.0.0.1",
        port=number("PORT", 5000),
        db_host=required("DB_HOST"),
        db_port=number("DB_PORT", 5432),
        db_name=required("DB_NAME"),
        db_user=required("DB_USER"),
        db_password=required("DB_PASSWORD"),
        db_pool_max=number("DB_POOL_MAX", 20),
        redis_host=environ.get("REDIS_HOST", ""),
        redis_port=number("REDIS_PORT", 6379),
        redis_password=environ.get("REDIS_PASSWORD", ""),
        version=environ.get("APP_VERSION") or "1.0.0",
        environment=environ.get("NODE_ENV") or "lab",
        memory_limit_mb=number("MEMORY_LIMIT_MB", 512),
    )
