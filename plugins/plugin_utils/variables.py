# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory must say, and of which kind; checked before anything is read or changed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit


def _host(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", value):
        return "must be a host name or address, without scheme and port"
    return ""


def _host_or_empty(value: Any) -> str:
    return "" if value == "" else _host(value)


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else "must be a text that is not empty"


def _name(value: Any) -> str:
    return "" if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value) else "must be a name"


def _word_or_empty(value: Any) -> str:
    return "" if value == "" else _name(value)


def _path(value: Any) -> str:
    return "" if isinstance(value, str) else "must be a path, or empty for the client's default"


def _port(value: Any) -> str:
    return "" if _is_int(value) and 0 < int(value) < 65536 else "must be a port number, 1 to 65535"


def _positive(value: Any) -> str:
    try:
        return "" if not isinstance(value, bool) and 0 < float(value) < math.inf else "must be a number above 0"
    except (TypeError, ValueError):
        return "must be a number above 0"


def _percent(value: Any) -> str:
    return _positive(value) or ("" if float(value) <= 100 else "must be a percentage, above 0 up to 100")


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _url(value: Any) -> str:
    if not isinstance(value, str):
        return "must be a URL"
    try:
        parts = urlsplit(value)
    except ValueError:  # an address in brackets that is none
        return "must be a URL, http:// or https://"
    return "" if parts.scheme in ("http", "https") and parts.netloc else "must be a URL, http:// or https://"


def _url_or_empty(value: Any) -> str:
    return "" if value == "" else _url(value)


def _is_int(value: Any) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, str) and value.isdecimal()))


# Variable -> what is wrong with a value, or nothing. Only what database-failure uses; more runbooks, more lines.
CHECKS: dict[str, Callable[[Any], str]] = {
    "dhakacart_env": _name,
    "dhakacart_prefix": _name,
    "dhakacart_instance": _word_or_empty,
    "dhakacart_region": _name,
    "dhakacart_approval_required": _flag,
    "dhakacart_read_timeout": _positive,
    "dhakacart_db_host": _host,
    "dhakacart_db_replica_host": _host_or_empty,  # RDS shows no Multi-AZ standby, and a replica is optional
    "dhakacart_db_port": _port,
    "dhakacart_db_name": _text,
    "dhakacart_db_user": _text,
    "dhakacart_db_instance": _name,
    "dhakacart_db_read_replica": _name,
    "dhakacart_db_recovery_instance": _name,
    "dhakacart_db_passfile": _path,
    "dhakacart_db_conn_warn": _percent,
    "dhakacart_replica_lag_rpo": _positive,
    "dhakacart_max_replica_lag": _positive,
    "dhakacart_slow_query_seconds": _positive,
    "dhakacart_snapshot_max_age_hours": _positive,
    "dhakacart_rto_db": _positive,
    "dhakacart_rpo_db": _positive,
    "dhakacart_redis_host": _host,
    "dhakacart_redis_port": _port,
    "dhakacart_redis_tls": _flag,
    "dhakacart_redis_token_file": _path,
    "dhakacart_kubeconfig": _path,
    "dhakacart_namespace": _name,
    "dhakacart_backend_deployment": _name,
    "dhakacart_backend_service": _name,
    "dhakacart_backend_hpa": _name,
    "dhakacart_db_k8s_secret": _name,
    "dhakacart_use_external_secrets": _flag,
    "dhakacart_secret_db": _name,
    "dhakacart_aws_endpoint_url": _url_or_empty,
    "dhakacart_aws_credentials_file": _path,
    "dhakacart_shop_url": _url,
    "dhakacart_notify_webhook_url": _url_or_empty,
    "dhakacart_incident_dir": _text,
}
