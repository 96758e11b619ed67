# SPDX-License-Identifier: BSD-2-Clause
"""Give the shop the database endpoint and credentials that are valid.

A password moves from Secrets Manager to the Kubernetes Secret inside this process; it never becomes a variable.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .core.errors import ConfigurationError, Denied, Missing, NoAnswer, ReadError, Unexpected
from .core.gather import Job, gather
from .kubernetes.arguments import Settings as KubernetesSettings
from .kubernetes.client import Api
from .kubernetes.writing import patch, put_secret
from .options import build
from .postgresql import facts as postgresql_facts
from .postgresql.arguments import Settings as PostgresqlSettings
from .postgresql.client import login_error
from .rds.arguments import Settings as RdsSettings
from .rds.client import Aws

LEAST_CONNECT_SECONDS = 2  # libpq takes less as 2


@dataclass(frozen=True)
class Target:
    """Where the shop's database is and how the shop logs in."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


def writable_endpoint(observed: Mapping[str, Any], settings: PostgresqlSettings) -> tuple[str, int]:
    """The endpoint whose server takes writes now. Pure; ``observed`` are the PostgreSQL facts.

    :raises ReadError: none does, or both do (a split brain, where a person must decide).
    """
    writable = []
    for name, host, port in (
        ("primary", settings.host, settings.port),
        ("replica", settings.replica_host, settings.replica_port),
    ):
        server = (observed.get(name) or {}).get("server") or {}
        if server.get("in_recovery") is False and server.get("transaction_read_only") is False:
            writable.append((host, port))
    if len(writable) == 1:
        return writable[0]
    if writable:
        raise Unexpected("both endpoints take writes", remedy="decide which has the newer orders, then name it: host")
    raise Unexpected("neither endpoint takes writes", remedy="fail over or restore first")


def check_login(target: Target, dbname: str, timeout: float) -> None:
    """Log in as the shop would; the shop must not be given what does not work.

    :raises ReadError: the login failed; Denied where it is the credentials.
    """
    patience = max(LEAST_CONNECT_SECONDS, math.ceil(timeout))
    # connect_timeout ends with the login; a server that freezes after it would be waited for without end.
    job = Job(lambda: _log_in(target, dbname, timeout, patience), patience + timeout)
    error = gather({"login": job})["login"].error
    if isinstance(error, NoAnswer) and not error.where:
        raise NoAnswer(error.message, where=f"{target.host}:{target.port}", remedy="is the server frozen?")
    if error is not None:
        raise error


def _log_in(target: Target, dbname: str, timeout: float, patience: int) -> None:
    import psycopg

    where = f"{target.host}:{target.port}"
    try:
        with psycopg.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.password,
            dbname=dbname,
            connect_timeout=patience,
            application_name="dhakacart-runbooks",
        ) as connection:
            connection.execute("select 1")
    except psycopg.Error as error:
        text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        reason = login_error(text, where, timeout)
        if not isinstance(reason, Denied):
            raise reason from None
        raise Denied(
            f"the credentials in Secrets Manager do not work there ({text})",
            where=where,
            remedy="rotate the password again, in the database and in Secrets Manager",
        ) from None


def repoint(options: Mapping[str, Any], *, dry_run: bool) -> dict[str, Any]:
    """Write host, port, user and password where the shop reads them: Secrets Manager first, then Kubernetes.

    :returns: ``changed``, ``keys`` that differed, by place, ``host`` and ``undo``; never a secret.
    """
    kubernetes = build(KubernetesSettings, options["kubernetes"], "kubernetes")
    rds = build(RdsSettings, options["rds"], "rds")
    postgresql = build(PostgresqlSettings, options["postgresql"], "postgresql")
    if not rds.secret or not kubernetes.secret:
        raise ConfigurationError("no name of the secret", where="dhakacart_secret_db", remedy="set it in the inventory")
    aws, api = Aws(rds), Api(kubernetes)
    kept = _secrets_manager(aws, rds.secret)
    host, port = _wanted_endpoint(str(options.get("host") or ""), postgresql)
    target = Target(host, port, str(kept["username"]), str(kept["password"]))
    check_login(target, postgresql.dbname, postgresql.timeout)
    manager_keys = _differing(kept, {"host": host, "port": port})
    path = f"/api/v1/namespaces/{kubernetes.namespace}/secrets/{kubernetes.secret}"
    present = api.get(path).get("data") or {}
    wanted = _secret_data(kubernetes, target)
    secret_keys = [key for key, value in wanted.items() if present.get(key) != value]
    if manager_keys and not dry_run:
        new = json.dumps({**kept, "host": host, "port": port})
        aws.call("secretsmanager", "put_secret_value", SecretId=rds.secret, SecretString=new)
    if manager_keys and options.get("secrets_manager_first"):
        _force_sync(api, kubernetes, dry_run)
    if secret_keys:
        previous = {key: present[key] for key in wanted if key in present}
        put_secret(api, kubernetes.namespace, f"{kubernetes.secret}-previous", previous, dry_run=dry_run)
        patch(api, path, {"data": wanted}, dry_run=dry_run)
    return {
        "changed": bool(manager_keys or secret_keys),
        "host": host,
        "keys": {"secrets_manager": manager_keys, "kubernetes": secret_keys},
        "undo": f"copy the keys of Secret {kubernetes.secret}-previous back; Secrets Manager keeps AWSPREVIOUS",
    }


def _secrets_manager(aws: Aws, name: str) -> dict[str, Any]:
    answer = aws.call("secretsmanager", "get_secret_value", SecretId=name)
    try:
        kept = json.loads(answer["SecretString"])
    except (KeyError, ValueError, TypeError):
        kept = None
    if not isinstance(kept, dict) or not kept.get("username") or not kept.get("password"):
        raise Unexpected("not a JSON object with username and password", where=name, remedy="write the secret anew")
    return kept


def _wanted_endpoint(asked: str, settings: PostgresqlSettings) -> tuple[str, int]:
    if asked:
        # Terraform writes host:port into the field "host"; a person copies it from there.
        name, _colon, port = asked.partition(":")
        if not name or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
            raise ConfigurationError(f"{asked!r} is no address", where="host", remedy="give <host> or <host>:<port>")
        return name, int(port or settings.port)
    return writable_endpoint(postgresql_facts.read(settings), settings)


def _differing(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return [key for key, value in wanted.items() if str(kept.get(key, "")) != str(value)]


def _secret_data(settings: KubernetesSettings, target: Target) -> dict[str, str]:
    values = {
        settings.secret_host_key: target.host,
        settings.secret_port_key: str(target.port),
        settings.secret_user_key: target.user,
        settings.secret_password_key: target.password,
    }
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items() if key}


def _force_sync(api: Api, settings: KubernetesSettings, dry_run: bool) -> None:
    """Ask the External Secrets Operator to read now instead of within the hour."""
    path = (
        f"/apis/external-secrets.io/v1beta1/namespaces/{settings.namespace}/externalsecrets/{settings.external_secret}"
    )
    try:
        patch(api, path, {"metadata": {"annotations": {"force-sync": str(int(time.time()))}}}, dry_run=dry_run)
    except Missing as error:
        raise ReadError(
            f"External Secrets is said to be on, but there is no ExternalSecret {settings.external_secret}",
            where=error.where,
            remedy="set dhakacart_use_external_secrets to false, or name it in dhakacart_external_secret_db",
        ) from error
