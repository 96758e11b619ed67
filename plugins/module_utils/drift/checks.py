# SPDX-License-Identifier: BSD-2-Clause
"""Do the places that name the database agree? Pure: no I/O, no clock, no Ansible.

The Kubernetes Secret is what the shop uses, Secrets Manager is what it should use, RDS says where the database is.
Passwords are compared by fingerprints, which must have been made with one salt.

==================  ==================================================================================================
id                  evidence
==================  ==================================================================================================
drift.credentials   user_kubernetes, user_secrets_manager, user_differs, password_differs
drift.host          host_kubernetes, host_secrets_manager, host_rds, port_kubernetes, port_rds, differs
==================  ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, judges, part, text


def judge(facts: Mapping[str, Any]) -> list[Finding]:
    """Both findings, from ``{"kubernetes": facts, "rds": facts}``."""
    return [credentials(facts), host(facts)]


def _secret(facts: Facts, system: str) -> Facts:
    return part(part(facts, system), "secret")


@judges("drift.credentials", "credentials")
def credentials(facts: Facts) -> Finding:
    """Does the shop log in with the user and password that Secrets Manager holds?"""
    used, kept = _secret(facts, "kubernetes"), _secret(facts, "rds")
    users = text(used, "user"), text(kept, "user")
    if used.get("password_set") is False and kept.get("password_set") is True:
        password_differs = True
    else:
        password_differs = text(used, "password_fingerprint") != text(kept, "password_fingerprint")
    evidence = {
        "user_kubernetes": users[0],
        "user_secrets_manager": users[1],
        "user_differs": users[0] != users[1],
        "password_differs": password_differs,
    }
    name, component = "drift.credentials", "credentials"
    differing = [word for word, differs in (("user", users[0] != users[1]), ("password", password_differs)) if differs]
    if differing:
        return Finding(
            name,
            component,
            Status.CRITICAL,
            f"the shop's {' and '.join(differing)} in Kubernetes are not those in Secrets Manager"
            if len(differing) > 1
            else f"the shop's {differing[0]} in Kubernetes is not the one in Secrets Manager",
            evidence,
            "the credentials were rotated and the Kubernetes Secret was not synchronised",
            "copy from Secrets Manager to the Secret (or force an External Secrets sync), then restart the pods",
        )
    return Finding(name, component, Status.OK, "Kubernetes and Secrets Manager hold the same credentials", evidence)


@judges("drift.host", "database host")
def host(facts: Facts) -> Finding:
    """Do the shop, Secrets Manager and RDS name the same host?"""
    used = _address(_secret(facts, "kubernetes"))
    kept = _optional_address(facts)
    real = _address(part(part(facts, "rds"), "instance"))
    if promoted := _promoted_replica(facts):
        real = promoted if used == promoted else real
    evidence: dict[str, Any] = {
        "host_kubernetes": used[0],
        "host_secrets_manager": kept[0] if kept else None,
        "host_rds": real[0],
        "port_kubernetes": used[1],
        "port_rds": real[1],
    }
    off = [where for where, address in (("Kubernetes", used), ("Secrets Manager", kept)) if address and address != real]
    evidence["differs"] = off
    name, component = "drift.host", "database host"
    if off:
        summary = f"{' and '.join(off)} name another database host than RDS ({real[0]}:{real[1]})"
        cause = "a failover or restore moved the database, or the Secret was changed by hand"
        status = Status.CRITICAL if "Kubernetes" in off else Status.WARNING
        return Finding(name, component, status, summary, evidence, cause, "repoint the application")
    return Finding(name, component, Status.OK, f"all name {real[0]}:{real[1]}", evidence)


def _promoted_replica(facts: Facts) -> tuple[str, int] | None:
    """The address of a former replica that takes writes now: after a failover the shop rightly uses it."""
    try:
        replica = part(part(facts, "rds"), "replica")
        return None if replica.get("replica_of") else _address(replica)
    except NotJudged:
        return None


def _optional_address(facts: Facts) -> tuple[str, int] | None:
    try:
        return _address(_secret(facts, "rds"))
    except NotJudged:
        return None


def _address(found: Facts) -> tuple[str, int]:
    """Host and port; Terraform writes the RDS *endpoint*, ``host:port``, into the field ``host``."""
    parts = text(found, "host").strip().rstrip(".").lower().split(":")
    name, port = parts if len(parts) == 2 else (parts[0], str(found.get("port") or "5432"))
    if len(parts) > 2 or not name or not port.isdigit():
        raise NotJudged(f"{found.get('host')!r}, port {found.get('port')!r} is no address")
    return name, int(port)
