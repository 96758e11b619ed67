# SPDX-License-Identifier: GPL-3.0-or-later
"""The PostgreSQL checks against real servers, healthy and broken."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import (
    ConfigurationError,
    NoAnswer,
    ReadError,
)
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.options import build
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql import actions, client, system
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql.arguments import Settings, Thresholds

from . import http_stub
from .postgres_servers import PASSWORD, Server

Servers = tuple[Server, Server]


def params(servers: Servers, **changes: Any) -> dict[str, Any]:
    primary, standby = servers
    return {
        "host": primary.host,
        "replica_host": standby.host,
        "passfile": str(primary.passfile),
        "timeout": 1.0,
        **changes,
    }


def judged(options: dict[str, Any]) -> dict[str, Finding]:
    facts = system.read(options)
    assert json.loads(json.dumps(facts)) == facts
    return {finding.id: finding for finding in system.judge(facts, options)}


def until(check: Any, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextlib.contextmanager
def scripted(reply: bytes) -> Iterator[int]:
    """A server that answers anything with ``reply`` and hangs up."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)

        def serve() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    while connection.recv(4096)[4:8] == b"\x04\xd2\x16/":  # SSLRequest
                        connection.sendall(b"N")
                    connection.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def error_response(sqlstate: str, message: str) -> bytes:
    body = b"".join(kind + text.encode() + b"\0" for kind, text in ((b"S", "FATAL"), (b"C", sqlstate), (b"M", message)))
    return b"E" + (len(body) + 5).to_bytes(4, "big") + body + b"\0"


def test_a_healthy_pair_is_ok_but_for_what_the_test_servers_lack(servers: Servers) -> None:
    until(lambda: str(judged(params(servers))["postgresql.sync"].status) == "ok")
    findings = judged(params(servers))
    lacking = {name for name, finding in findings.items() if str(finding.status) != "ok"}
    assert lacking == {"postgresql.settings", "postgresql.wal_archiving"}
    assert findings["postgresql.replication"].evidence["hears_primary"] is True


def test_the_session_cannot_write_and_the_servers_own_settings_are_reported(servers: Servers) -> None:
    settings = build(Settings, params(servers), "postgresql")
    with client.connect(settings, settings.host, settings.port) as server:
        client.guard(server, settings)
        with pytest.raises(ReadError, match="read-only transaction"):
            server.query("CREATE TABLE never (id int)")
    facts = system.read(params(servers))
    assert facts["primary"]["server"]["default_transaction_read_only"] is False
    assert facts["primary"]["settings"]["statement_timeout"] == 0


def test_a_stopped_primary_refuses_and_the_standby_no_longer_hears_it(servers: Servers) -> None:
    servers[0].stop()
    findings = judged(params(servers))
    assert findings["postgresql.primary"].evidence["kind"] == "refused"
    assert str(findings["postgresql.standby"].status) == "ok"
    until(lambda: judged(params(servers))["postgresql.replication"].evidence.get("hears_primary") is False)


def test_a_frozen_primary_accepts_tcp_and_does_not_answer(servers: Servers) -> None:
    servers[0].signal(signal.SIGSTOP)
    started = time.monotonic()
    findings = judged(params(servers, timeout=2.0, thresholds={"receiver_silence_seconds": 1.5}))
    assert time.monotonic() - started < 4
    assert findings["postgresql.primary"].evidence["kind"] == "no_answer"
    assert findings["postgresql.replication"].evidence["hears_primary"] is False
    assert str(findings["postgresql.standby"].status) == "ok"


def test_a_server_that_freezes_while_it_is_asked_does_not_hang_us(servers: Servers) -> None:
    settings = build(Settings, params(servers), "postgresql")
    started = time.monotonic()
    with (
        pytest.raises(NoAnswer, match="stopped answering"),
        client.connect(settings, settings.host, settings.port) as server,
    ):
        servers[0].signal(signal.SIGSTOP)
        server.query("SELECT 1")
    assert time.monotonic() - started < 2


def test_a_network_that_swallows_packets_is_no_route(servers: Servers) -> None:
    with http_stub.full_backlog() as port:
        findings = judged(params(servers, host="127.0.0.1", port=port))
    assert findings["postgresql.primary"].evidence["kind"] == "no_route"
    assert str(findings["postgresql.primary"].status) == "critical"  # the standby was reachable


def test_a_name_that_does_not_resolve_is_no_route(servers: Servers) -> None:
    assert judged(params(servers, host="db.invalid"))["postgresql.primary"].evidence["kind"] == "no_route"


def test_a_wrong_password_is_denied(servers: Servers, tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:*:hunter2\n")
    passfile.chmod(0o600)
    finding = judged(params(servers, passfile=str(passfile)))["postgresql.primary"]
    assert (finding.evidence["kind"], str(finding.status)) == ("denied", "unknown")
    assert "hunter2" not in json.dumps(finding.to_result())


def test_a_database_that_does_not_exist_is_missing(servers: Servers) -> None:
    assert judged(params(servers, dbname="nowhere"))["postgresql.primary"].evidence["kind"] == "missing"


@pytest.mark.parametrize(
    ("sqlstate", "message", "kind"),
    [
        ("57P03", "the database system is starting up", "not_ready"),
        ("57P03", "the database system is in recovery mode", "not_ready"),
        ("53300", "sorry, too many clients already", "overloaded"),
        ("28000", 'no pg_hba.conf entry for host "10.0.0.1", user "x"', "denied"),
        ("XX000", "something else", "unexpected"),
    ],
)
def test_a_refusal_at_login_is_told_apart(servers: Servers, sqlstate: str, message: str, kind: str) -> None:
    with scripted(error_response(sqlstate, message)) as port:
        finding = judged(params(servers, host="127.0.0.1", port=port))["postgresql.primary"]
    assert finding.evidence["kind"] == kind


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64])
def test_something_that_is_no_postgresql_is_never_ok(servers: Servers, reply: bytes) -> None:
    with scripted(reply) as port:
        finding = judged(params(servers, host="127.0.0.1", port=port))["postgresql.primary"]
    assert finding.evidence["kind"] in {"refused", "unexpected"}


def test_exhausted_connections_are_named_with_the_group_that_holds_them(servers: Servers) -> None:
    with contextlib.ExitStack() as stack:
        for connection in [servers[0].connect(user="dhakacart", application_name="greedy") for number in range(16)]:
            stack.enter_context(connection)
        finding = judged(params(servers))["postgresql.connections"]
        assert str(finding.status) == "warning"
        assert finding.evidence["groups"][0]["application"] == "greedy"
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(servers[0].connect(user="dhakacart"))
        findings = judged(params(servers))
        assert findings["postgresql.primary"].evidence["kind"] == "overloaded"
        assert str(findings["postgresql.connections"].status) == "critical"


def test_a_role_that_may_read_little_loses_parts_and_keeps_the_rest(servers: Servers, tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:*:{PASSWORD}\n")
    passfile.chmod(0o600)
    facts = system.read(params(servers, user="dhakacart", passfile=str(passfile)))
    assert facts["primary"]["wal"]["error"]["kind"] == "denied"
    assert facts["primary"]["server"]["in_recovery"] is False


def test_the_root_of_a_lock_queue_is_found_and_ended_and_a_stranger_with_its_pid_is_not(servers: Servers) -> None:
    options = params(servers, sessions=True)
    limits = Thresholds(blocked_warning_seconds=0)
    with servers[0].connect(user="postgres") as admin:
        admin.execute("CREATE TABLE IF NOT EXISTS stock (id int PRIMARY KEY, quantity int)")
        admin.execute("INSERT INTO stock VALUES (1, 5) ON CONFLICT DO NOTHING")
        admin.execute("GRANT ALL ON stock TO dhakacart")
    root = servers[0].connect(user="dhakacart", application_name="batch")
    victim = servers[0].connect(user="dhakacart", application_name="shop")
    root.execute("BEGIN")
    root.execute("UPDATE stock SET quantity = 4 WHERE id = 1")
    waiting = threading.Thread(target=victim.execute, args=("UPDATE stock SET quantity = 3 WHERE id = 1",))
    waiting.start()
    until(lambda: system.read(options)["primary"]["blocking"]["blocked"] == 1)
    facts = system.read(options)
    chosen = actions.sessions_to_end(facts, "block", thresholds=limits)
    assert [row["application"] for row in chosen] == ["batch"]
    settings = build(Settings, options, "postgresql")
    stranger = [{**chosen[0], "backend_start": "2020-01-01 00:00:00+00"}, {**chosen[0], "state": "active"}]
    assert [row["outcome"] for row in actions.end_sessions(settings, stranger)] == ["changed", "changed"]
    assert [row["outcome"] for row in actions.end_sessions(settings, chosen)] == ["ended"]
    waiting.join(5)
    assert not waiting.is_alive()
    root.close()
    victim.close()


def test_idle_sessions_of_the_greedy_group_are_ended_unless_they_began_to_work(servers: Servers) -> None:
    options = params(servers, sessions=True)
    greedy = [servers[0].connect(user="dhakacart", application_name="greedy") for number in range(4)]
    for connection in greedy:
        connection.execute("SELECT 1")
    chosen = actions.sessions_to_end(system.read(options), "exhaust")
    assert len(chosen) == 4
    greedy[0].execute("SELECT 2")
    outcomes = actions.end_sessions(build(Settings, options, "postgresql"), chosen)
    assert sorted(row["outcome"] for row in outcomes) == ["changed", "ended", "ended", "ended"]
    for connection in greedy:
        connection.close()


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0o600, "not readable"),
        ("*:*:*:*:x\n", 0o644, "accessible to others"),
        ("just a password\n", 0o600, "malformed"),
        ("", 0o600, "malformed"),
        ("\udcff", 0o600, "not a text file"),
    ],
)
def test_a_bad_password_file_is_named_with_its_remedy(
    servers: Servers, tmp_path: Path, content: str | None, mode: int, said: str
) -> None:
    passfile = tmp_path / "pgpass"
    if content is not None:
        passfile.write_text(content, errors="surrogateescape")
        passfile.chmod(mode)
    with pytest.raises(ConfigurationError, match=said) as caught:
        system.read(params(servers, passfile=str(passfile)))
    assert str(passfile) in str(caught.value)
    assert "remedy" in str(caught.value)


def test_two_primaries_are_split_brain(servers: Servers) -> None:
    """Last: the standby is lost to it."""
    with servers[1].connect("postgres") as admin:
        admin.execute("SELECT pg_promote()")
    findings = judged(params(servers))
    assert str(findings["postgresql.split_brain"].status) == "critical"
    assert str(findings["postgresql.standby"].status) == "critical"
    assert findings["postgresql.sync"].evidence["commits_blocked"] is True
