# SPDX-License-Identifier: GPL-3.0-or-later
"""Every variable that is checked takes what is right and refuses what is wrong."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.variables import CHECKS

ROOT = Path(__file__).resolve().parents[3]

HOST = (["db.example.com", "127.40.0.10", "a", "db-1"], ["", None, 5, "http://db", "db:5432", "db host", "-db", "db."])
HOST_OR_EMPTY = ([*HOST[0], ""], HOST[1][1:])
NAME = (["dhakacart-prod", "us-west-2", "a.b_c"], ["", None, 7, "two words", "-x", "a/b", "{{ x }}", ["a"]])
TEXT = (["dhakacart", "two words", "/x"], ["", "  ", None, 3, ["a"]])
PATH = (["", "~/.pgpass", "/x"], [None, 3, ["a"], True])
NAME_OR_EMPTY = ([*NAME[0], ""], [wrong for wrong in NAME[1] if wrong != ""])
PORT = ([5432, "5432", 1, 65535], [0, 65536, -1, "", None, True, "5432x", 5.5, "²", [5432]])
POSITIVE = ([1, 0.5, "3"], [0, -1, "", None, True, "x", float("inf"), "inf", float("nan"), [3]])
PERCENT = ([1, 80, 100, "80"], [0, 101, -1, "", None, True, "x", float("inf"), float("nan")])
FLAG = ([True, False], ["true", "", 1, 0, None])
URL = (
    ["https://api.dhakacart.com", "http://127.40.0.70:8080"],
    ["", None, 5, "api.dhakacart.com", "ftp://x", "https://", "http://["],
)
URL_OR_EMPTY = ([*URL[0], ""], URL[1][1:])

KINDS: dict[str, tuple[list[Any], list[Any]]] = {
    "dhakacart_env": NAME,
    "dhakacart_instance": NAME_OR_EMPTY,
    "dhakacart_prefix": NAME,
    "dhakacart_region": NAME,
    "dhakacart_approval_required": FLAG,
    "dhakacart_read_timeout": POSITIVE,
    "dhakacart_db_host": HOST,
    "dhakacart_db_replica_host": HOST_OR_EMPTY,
    "dhakacart_db_port": PORT,
    "dhakacart_db_name": TEXT,
    "dhakacart_db_user": TEXT,
    "dhakacart_db_instance": NAME,
    "dhakacart_db_read_replica": NAME,
    "dhakacart_db_recovery_instance": NAME,
    "dhakacart_db_passfile": PATH,
    "dhakacart_db_conn_warn": PERCENT,
    "dhakacart_replica_lag_rpo": POSITIVE,
    "dhakacart_max_replica_lag": POSITIVE,
    "dhakacart_slow_query_seconds": POSITIVE,
    "dhakacart_snapshot_max_age_hours": POSITIVE,
    "dhakacart_rto_db": POSITIVE,
    "dhakacart_rpo_db": POSITIVE,
    "dhakacart_redis_host": HOST,
    "dhakacart_redis_port": PORT,
    "dhakacart_redis_tls": FLAG,
    "dhakacart_redis_token_file": PATH,
    "dhakacart_kubeconfig": PATH,
    "dhakacart_namespace": NAME,
    "dhakacart_backend_deployment": NAME,
    "dhakacart_backend_service": NAME,
    "dhakacart_backend_hpa": NAME,
    "dhakacart_db_k8s_secret": NAME,
    "dhakacart_use_external_secrets": FLAG,
    "dhakacart_secret_db": NAME,
    "dhakacart_aws_endpoint_url": URL_OR_EMPTY,
    "dhakacart_aws_credentials_file": PATH,
    "dhakacart_shop_url": URL,
    "dhakacart_notify_webhook_url": URL_OR_EMPTY,
    "dhakacart_incident_dir": TEXT,
}


def test_every_checked_variable_is_tested_here() -> None:
    assert set(CHECKS) == set(KINDS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_right_value_is_taken(name: str) -> None:
    assert {repr(value): CHECKS[name](value) for value in KINDS[name][0] if CHECKS[name](value)} == {}


@pytest.mark.parametrize("name", CHECKS)
def test_a_wrong_value_is_refused_in_words(name: str) -> None:
    for value in KINDS[name][1]:
        assert CHECKS[name](value).startswith("must be "), value


@functools.cache
def defined(environment: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted((ROOT / "inventories" / environment / "group_vars/all").glob("*.yml")):
        found.update(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return found


@pytest.mark.parametrize("name", CHECKS)
def test_the_lab_sets_every_checked_variable(name: str) -> None:
    assert name in defined("lab")
