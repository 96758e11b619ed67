# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the application's relation to a healthy database."""

from __future__ import annotations

import json
import os
import secrets
import signal
from pathlib import Path

from ..aws import client
from ..kubernetes import containers
from ..lab import Lab
from ..layout import Layout
from .fault import CannotBreakError, Fault

CREDENTIAL = "db-app"


def _kept(layout: Layout) -> Path:
    return layout.faults.parent / CREDENTIAL


def _keep_password(layout: Layout) -> None:
    """What healing goes back to; of two rotations the first knows it."""
    if not _kept(layout).exists():
        _replace(_kept(layout), layout.secret(CREDENTIAL))


def recall_passwords(layout: Layout) -> None:
    """Put the credential of before a rotation back in its place; the servers are told by whoever heals them."""
    if (kept := _kept(layout)).exists():
        kept.replace(layout.credentials / CREDENTIAL)


def _replace(path: Path, text: str) -> None:
    """Write a secret, whole or not at all, for its owner only."""
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _rotate_without_telling_the_shop(lab: Lab) -> None:
    """The rotation reached the database and Secrets Manager; the Kubernetes Secret kept the old password."""
    password = secrets.token_urlsafe(24)
    _keep_password(lab.layout)
    lab.cluster.set_password(lab.layout.app_user, password)
    _replace(lab.layout.credentials / CREDENTIAL, password)
    manager = client(lab.layout, "secretsmanager")
    name = f"{lab.layout.prefix}-db-credentials"
    value = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    manager.put_secret_value(SecretId=name, SecretString=json.dumps({**value, "password": password}))
    with lab.cluster.connect() as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [lab.layout.app_user]
        )


def _kill_pools(lab: Lab) -> None:
    backends = containers.running(lab.layout, container="backend")
    if not backends:
        raise CannotBreakError("no backend runs, so no pool can be broken; remedy: runbook lab heal")
    for backend in backends:
        backend.process.send_signal(signal.SIGUSR2)


FAULTS = (
    Fault(
        "credentials-stale",
        "The database password was rotated; the shop still has the old one.",
        "credentials_stale",
        "repoint",
        _rotate_without_telling_the_shop,
        settle=8,
    ),
    Fault(
        "application-pool-dead",
        "Every backend has closed its connection pool for good; the database is well.",
        "application_pool_dead",
        "restart-pods",
        _kill_pools,
        settle=8,
    ),
)
