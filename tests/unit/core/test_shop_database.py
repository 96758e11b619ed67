# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shop is given is what works, nothing is written before that is known, and no secret leaves."""

from __future__ import annotations

import base64
import json
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils import shop_database
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import (
    ConfigurationError,
    Denied,
    Missing,
    NoAnswer,
    ReadError,
    Unexpected,
)
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql import facts as postgresql_facts
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql.arguments import Settings
from ansible_collections.dhakacart.runbooks.plugins.module_utils.shop_database import (
    Target,
    check_login,
    repoint,
    writable_endpoint,
)

SETTINGS = Settings(host="db-a", port=5432, replica_host="db-b", replica_port=5433)
PASSWORD = "s3cr3t-pässwörd"
OLD_PASSWORD = "0ld-s3cr3t"


def server(in_recovery: bool = False, read_only: bool = False) -> dict[str, Any]:
    return {"reachable": True, "server": {"in_recovery": in_recovery, "transaction_read_only": read_only}}


DOWN = {"reachable": False, "error": {"kind": "refused"}}
STANDBY = server(in_recovery=True, read_only=True)


@pytest.mark.parametrize(
    ("primary", "replica", "endpoint"),
    [
        (server(), STANDBY, ("db-a", 5432)),
        (server(), DOWN, ("db-a", 5432)),
        (DOWN, server(), ("db-b", 5433)),
        (STANDBY, server(), ("db-b", 5433)),
        (server(read_only=True), server(), ("db-b", 5433)),
    ],
)
def test_the_one_that_takes_writes_is_the_endpoint(
    primary: dict[str, Any], replica: dict[str, Any], endpoint: tuple[str, int]
) -> None:
    assert writable_endpoint({"primary": primary, "replica": replica}, SETTINGS) == endpoint


@pytest.mark.parametrize("observed", [{}, {"primary": DOWN, "replica": DOWN}, {"primary": None, "replica": STANDBY}])
def test_where_none_takes_writes_none_is_chosen(observed: dict[str, Any]) -> None:
    with pytest.raises(Unexpected, match="neither endpoint takes writes; remedy: fail over or restore first"):
        writable_endpoint(observed, SETTINGS)


def test_where_both_take_writes_a_person_decides() -> None:
    with pytest.raises(Unexpected, match="both endpoints take writes; remedy: decide"):
        writable_endpoint({"primary": server(), "replica": server()}, SETTINGS)


class Platform:
    """Secrets Manager, Kubernetes and the login, with the order in which they were used."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.manager = json.dumps(
            {"username": "shop", "password": PASSWORD, "host": "db-a", "port": 5432, "engine": "postgres"}
        )
        self.secrets: dict[str, dict[str, str]] = {
            "dhakacart-secrets": encoded(
                {"db-host": "db-a", "db-port": "5432", "db-user": "shop", "db-password": OLD_PASSWORD, "redis": "r"}
            )
        }
        self.external = True
        self.login_error: Exception | None = None

    # --- Aws
    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        assert (service, arguments["SecretId"]) == ("secretsmanager", "prod-db")
        self.log.append(operation)
        if operation == "put_secret_value":
            self.manager = arguments["SecretString"]
            return {}
        return {"SecretString": self.manager}

    # --- Api
    def get(self, path: str) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        self.log.append(f"get {name}")
        if name not in self.secrets:
            raise Missing("HTTP 404", where=path)
        return {"data": dict(self.secrets[name])}

    def exchange(self, method: str, path: str, query: Mapping[str, Any], body: bytes, _content_type: str) -> bytes:
        sent = json.loads(body)
        name = sent["metadata"]["name"] if method == "POST" else path.rpartition("/")[2]
        dry = " (dry)" if query.get("dryRun") == "All" else ""
        if "externalsecrets" in path and not self.external:
            raise Missing("HTTP 404", where=path)
        if method == "PATCH" and "externalsecrets" not in path and name not in self.secrets:
            raise Missing("HTTP 404", where=path)
        self.log.append(f"{method} {name}{dry}")
        if not dry and "data" in sent:
            self.secrets[name] = {**self.secrets.get(name, {}), **sent["data"]}
        return b"{}"

    def login(self, target: Target, _dbname: str, _timeout: float) -> None:
        self.log.append(f"login {target.user}@{target.host}:{target.port}")
        if self.login_error:
            raise self.login_error

    @property
    def writes(self) -> list[str]:
        return [entry for entry in self.log if entry.startswith(("put_", "PATCH", "POST")) and "(dry)" not in entry]


def encoded(values: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    found = Platform()
    monkeypatch.setattr(shop_database, "Aws", lambda _settings: found)
    monkeypatch.setattr(shop_database, "Api", lambda _settings: found)
    monkeypatch.setattr(shop_database, "check_login", found.login)
    monkeypatch.setattr(postgresql_facts, "read", lambda _settings: {"primary": DOWN, "replica": server()})
    return found


def options(**more: Any) -> dict[str, Any]:
    return {
        "kubernetes": {},
        "rds": {"region": "us-west-2", "instance": "db", "secret": "prod-db"},
        "postgresql": {"host": "db-a", "replica_host": "db-b", "replica_port": 5433},
        **more,
    }


def test_it_logs_in_first_then_writes_secrets_manager_then_keeps_the_previous_then_kubernetes(
    platform: Platform,
) -> None:
    result = repoint(options(), dry_run=False)
    assert platform.log == [
        "get_secret_value",
        "login shop@db-b:5433",
        "get dhakacart-secrets",
        "put_secret_value",
        "POST dhakacart-secrets-previous",
        "PATCH dhakacart-secrets",
    ]
    assert result["changed"] is True
    assert result["host"] == "db-b"
    assert result["keys"] == {
        "secrets_manager": ["host", "port"],
        "kubernetes": ["db-host", "db-port", "db-password"],
    }


def test_both_places_then_hold_what_is_valid_and_keep_everything_else(platform: Platform) -> None:
    repoint(options(), dry_run=False)
    assert json.loads(platform.manager) == {
        "username": "shop",
        "password": PASSWORD,
        "host": "db-b",
        "port": 5433,
        "engine": "postgres",
    }
    assert platform.secrets["dhakacart-secrets"] == encoded(
        {"db-host": "db-b", "db-port": "5433", "db-user": "shop", "db-password": PASSWORD, "redis": "r"}
    )


def test_the_previous_values_can_be_put_back(platform: Platform) -> None:
    before = dict(platform.secrets["dhakacart-secrets"])
    repoint(options(), dry_run=False)
    previous = platform.secrets["dhakacart-secrets-previous"]
    assert previous == {key: before[key] for key in ("db-host", "db-port", "db-user", "db-password")}
    assert {**platform.secrets["dhakacart-secrets"], **previous} == before


def test_a_second_time_nothing_changes_and_the_previous_is_not_overwritten(platform: Platform) -> None:
    repoint(options(), dry_run=False)
    kept = dict(platform.secrets["dhakacart-secrets-previous"])
    platform.log.clear()
    again = repoint(options(), dry_run=False)
    assert again["changed"] is False
    assert again["keys"] == {"secrets_manager": [], "kubernetes": []}
    assert platform.writes == []
    assert platform.secrets["dhakacart-secrets-previous"] == kept


def test_a_dry_run_says_the_same_and_writes_nothing(platform: Platform) -> None:
    before = (platform.manager, json.dumps(platform.secrets))
    dry = repoint(options(secrets_manager_first=True), dry_run=True)
    assert platform.writes == []
    assert (platform.manager, json.dumps(platform.secrets)) == before
    assert dry == repoint(options(secrets_manager_first=True), dry_run=False)


def test_a_login_that_is_refused_writes_nothing(platform: Platform) -> None:
    platform.login_error = Denied("the credentials do not work there", where="db-b:5433")
    with pytest.raises(Denied):
        repoint(options(), dry_run=False)
    assert platform.writes == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        f'{{"username": "shop", "password": "{PASSWORD}"',
        "[]",
        "null",
        '{"username": "shop"}',
        f'{{"password": "{PASSWORD}"}}',
        f'{{"username": "", "password": "{PASSWORD}"}}',
    ],
)
def test_a_secret_that_makes_no_sense_writes_nothing_and_is_not_shown(platform: Platform, text: str) -> None:
    platform.manager = text
    with pytest.raises(Unexpected, match="prod-db: not a JSON object with username and password") as raised:
        repoint(options(), dry_run=False)
    assert platform.writes == []
    assert PASSWORD not in everything(raised.value)


def everything(error: BaseException) -> str:
    """All that a traceback or a repr could ever show of it."""
    parts = []
    found: BaseException | None = error
    while found is not None:
        parts += [repr(found), repr(vars(found)), *traceback.format_exception(found)]
        found = found.__cause__ or found.__context__
    return "\n".join(parts)


def test_no_secret_is_in_the_result_or_in_a_repr(platform: Platform) -> None:
    result = json.dumps(repoint(options(), dry_run=False), ensure_ascii=False)
    for secret in (PASSWORD, OLD_PASSWORD, *encoded({"a": PASSWORD, "b": OLD_PASSWORD}).values()):
        assert secret not in result
    assert PASSWORD not in repr(Target("h", 1, "u", PASSWORD))


@pytest.mark.parametrize(
    ("asked", "endpoint"), [("db-c", "db-c:5432"), ("db-c:6000", "db-c:6000"), ("db-c:", "db-c:5432")]
)
def test_a_named_host_is_taken_as_it_is_with_or_without_a_port(platform: Platform, asked: str, endpoint: str) -> None:
    assert repoint(options(host=asked), dry_run=False)["host"] == "db-c"
    assert f"login shop@{endpoint}" in platform.log


@pytest.mark.parametrize("asked", ["db-c:http", "db-c:0", "db-c:70000", ":5432"])
def test_a_named_host_that_is_no_address_is_refused_before_anything_is_written(platform: Platform, asked: str) -> None:
    with pytest.raises(ConfigurationError, match="host"):
        repoint(options(host=asked), dry_run=False)
    assert platform.writes == []


def test_with_external_secrets_the_operator_is_asked_after_secrets_manager(platform: Platform) -> None:
    repoint(options(secrets_manager_first=True), dry_run=False)
    assert platform.writes[:2] == ["put_secret_value", "PATCH dhakacart-db-credentials"]


def test_the_operator_is_left_alone_when_secrets_manager_held_the_right_values_already(platform: Platform) -> None:
    repoint(options(secrets_manager_first=True), dry_run=False)
    platform.log.clear()
    repoint(options(secrets_manager_first=True), dry_run=False)
    assert platform.writes == []


def test_external_secrets_that_are_not_there_say_which_variable_is_wrong(platform: Platform) -> None:
    platform.external = False
    with pytest.raises(ReadError, match="dhakacart_use_external_secrets"):
        repoint(options(secrets_manager_first=True), dry_run=False)


@pytest.mark.parametrize("place", ["rds", "kubernetes"])
def test_without_the_name_of_a_secret_nothing_is_done(platform: Platform, place: str) -> None:
    with pytest.raises(ConfigurationError, match="dhakacart_secret_db"):
        repoint(options(**{place: {**options()[place], "secret": ""}}), dry_run=False)
    assert platform.log == []


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let libpq say this."""

    def apply(text: str) -> None:
        def connect(**_arguments: Any) -> None:
            raise psycopg.OperationalError(text)

        monkeypatch.setattr(psycopg, "connect", connect)

    return apply


def test_a_refused_login_is_one_line_with_the_remedy_and_without_the_password(refuse: Callable[[str], None]) -> None:
    refuse('connection failed: FATAL:  password authentication failed for user "shop"\nDETAIL: more')
    with pytest.raises(Denied) as raised:
        check_login(Target("db-b", 5433, "shop", PASSWORD), "dhakacart", 3.0)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith("db-b:5433: the credentials in Secrets Manager do not work there (")
    assert "rotate the password again" in message
    assert PASSWORD not in everything(raised.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('connection to server at "db-b" failed: Connection refused', "refused"),
        ("FATAL:  sorry, too many clients already", "overloaded"),
        ("FATAL:  the database system is starting up", "not_ready"),
        ("", "unexpected"),
    ],
)
def test_a_server_that_is_not_there_is_not_blamed_on_the_password(
    refuse: Callable[[str], None], text: str, kind: str
) -> None:
    refuse(text)
    with pytest.raises(ReadError) as raised:
        check_login(Target("db-b", 5433, "shop", PASSWORD), "dhakacart", 3.0)
    assert raised.value.kind == kind
    assert str(raised.value).startswith("db-b:5433: ")
    assert "rotate" not in str(raised.value)


def test_a_server_that_freezes_after_the_login_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(shop_database, "LEAST_CONNECT_SECONDS", 0)
    monkeypatch.setattr(psycopg, "connect", lambda **_arguments: over.wait(30))
    try:
        with pytest.raises(NoAnswer, match=r"^db-b:5433: no answer within 1\.1 s; remedy: "):
            check_login(Target("db-b", 5433, "shop", PASSWORD), "dhakacart", 0.1)
    finally:
        over.set()
