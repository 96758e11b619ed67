# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets leave a record, everything else stays, and equal secrets can be told from others."""

from __future__ import annotations

import base64
import json
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.redaction import (
    KEY_FILE,
    TOKEN,
    Redactor,
    key_of,
    secret_name,
    secret_variables,
)

CORPUS = Path(__file__).with_name("redaction")
HARMLESS = (CORPUS / "harmless.txt").read_text(encoding="utf-8").splitlines()
CANARIES: list[dict[str, str]] = yaml.safe_load((CORPUS / "secrets.yml").read_text(encoding="utf-8"))
KEY = b"k" * 32
NOTHING_KNOWN = Redactor([], KEY)


def parts(secret: str) -> list[str]:
    """A key of several lines leaks with each line of it."""
    return [secret, *(row for row in secret.splitlines() if len(row) > 3)]


def test_the_corpus_is_as_large_as_it_claims() -> None:
    assert len(HARMLESS) >= 500
    assert len(CANARIES) >= 200
    assert all(canary["secret"] in canary["text"] for canary in CANARIES)


@pytest.mark.parametrize("canary", CANARIES, ids=[f"{n} {canary['kind']}" for n, canary in enumerate(CANARIES)])
def test_no_canary_is_left_in_a_text(canary: dict[str, str]) -> None:
    shown = NOTHING_KNOWN.text(canary["text"])
    assert not [part for part in parts(canary["secret"]) if part in shown], shown
    assert TOKEN.search(shown)


def test_no_canary_is_left_in_data_in_json_or_when_it_is_redacted_again() -> None:
    for canary in CANARIES:
        once = NOTHING_KNOWN.data({"log": [canary["text"]], canary["text"]: 1})
        written = json.dumps(once, ensure_ascii=False)
        assert canary["secret"] not in written
        assert NOTHING_KNOWN.data(once) == once


def test_at_least_99_of_100_harmless_lines_survive_unchanged() -> None:
    changed = [line for line in HARMLESS if NOTHING_KNOWN.text(line) != line]
    assert len(changed) <= len(HARMLESS) / 100, changed


@pytest.mark.parametrize(
    "word",
    [
        "0/5A2C1F0",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "dhakacart-backend-7d9f8b6c5d-x2x4z",
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:dhakacart-prod-db-credentials-Ab3dEf",
        "2026-11-23T03:04:05.678Z",
        "/var/lib/postgresql/15/main/base/16384/PG_VERSION",
        "root@vm",
        "db-FAIHNTYBKTGAUSUZQYPDS2GW4A",
    ],
)
def test_what_an_investigation_needs_is_left_alone_also_as_data(word: str) -> None:
    assert NOTHING_KNOWN.text(f"see {word}, then go on") == f"see {word}, then go on"
    assert NOTHING_KNOWN.data({word: [word]}) == {word: [word]}


KNOWN = "Wj7!x'q\"z ä/€\\n"


@pytest.mark.parametrize(
    "written",
    [
        KNOWN,
        json.dumps(KNOWN),
        json.dumps(KNOWN, ensure_ascii=False),
        json.dumps({"log": json.dumps({"v": KNOWN})}),
        quote(KNOWN),
        quote(KNOWN, safe=""),
        repr(KNOWN),
        KNOWN.replace("'", "''"),
        base64.b64encode(KNOWN.encode()).decode(),
        base64.b64encode(f"a:{KNOWN}".encode()).decode(),
        base64.b64encode(f"ab:{KNOWN}!".encode()).decode(),
        base64.urlsafe_b64encode(f"abc:{KNOWN}??".encode()).decode(),
        KNOWN.encode().hex(),
    ],
)
def test_a_known_value_is_found_in_every_usual_encoding(written: str) -> None:
    redactor = Redactor([KNOWN], KEY, patterns=False)
    shown = redactor.text(f"before {written} after")
    assert redactor.token(KNOWN) in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert redactor.data([written]) != [written]


def test_each_line_of_a_known_key_is_taken_out() -> None:
    body = [base64.b64encode(bytes([n] * 24)).decode() for n in range(3)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"])
    redactor = Redactor([key], KEY, patterns=False)
    assert not [row for row in body if row in redactor.text(f"half of it: {body[1]}\n{body[2]}")]


@pytest.mark.parametrize(
    ("value", "reason"), [("abc", "3 characters"), ("postgres", "common word"), ("", "0 characters")]
)
def test_a_value_that_is_found_everywhere_is_not_looked_for_and_the_reason_is_kept(value: str, reason: str) -> None:
    redactor = Redactor([value], KEY)
    text = "abc postgres is up"
    assert redactor.text(text) == text
    assert reason in redactor.ignored[0]
    assert not value or value not in redactor.ignored[0].split()


def test_a_weak_password_is_still_found_by_its_name() -> None:
    assert "password=(secret:" in Redactor(["postgres"], KEY).text("user=postgres password=postgres")


def test_equal_secrets_have_equal_tokens_under_one_key_only() -> None:
    one, other = NOTHING_KNOWN.token("hunter2!"), Redactor([], b"x" * 32).token("hunter2!")
    assert one == Redactor(["hunter2!"], KEY).text("hunter2!") == NOTHING_KNOWN.token("hunter2!")
    assert one != other
    assert one != NOTHING_KNOWN.token("hunter3!")


def test_numbers_booleans_and_null_stay_what_they_are() -> None:
    data: dict[str, Any] = {"a": 1, "password_length": 12, "token": None, "secret": True, "port": 5432, "ratio": 0.5}
    assert NOTHING_KNOWN.data(data) == data


def test_data_is_redacted_by_the_names_of_its_keys() -> None:
    data = {
        "password": "short",
        "env": [{"name": "DB_PASSWORD", "value": "x1"}, {"name": "DB_HOST", "value": "db-primary"}],
        "terraform": {"redis_auth_token": {"value": "y2", "sensitive": True}},
        "passwords": ["p1-abc", "p2-abc"],
        "token_file": "/run/token",
        "pin": {"password": 12345678},
    }
    written = json.dumps(NOTHING_KNOWN.data(data))
    assert not [secret for secret in ("short", "x1", "y2", "p1-abc", "p2-abc", "12345678") if f'"{secret}"' in written]
    assert "db-primary" in written
    assert "/run/token" in written


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "token", "apiKey", "AWS_SECRET_ACCESS_KEY", "client-secret", "PGPASSWORD"]
)
def test_names_of_secrets(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["password_file", "secretName", "token_ttl", "key", "DHAKACART_RUN_ID", "secret_password_key", "tokenExpiry"],
)
def test_names_that_only_speak_of_a_secret(name: str) -> None:
    assert not secret_name(name)


def test_variables_of_the_environment_are_secrets_by_their_name() -> None:
    environ = {
        "PGPASSWORD": "hunter2x",
        "PGPASSFILE": "/x",
        "API_TOKEN": "",
        "PATH": "/bin",
        "VAULT_TOKEN": "hvs.abc123",
    }
    assert sorted(secret_variables(environ)) == ["hunter2x", "hvs.abc123"]


def test_a_megabyte_takes_well_under_a_second_of_the_processor() -> None:
    rows = [{"text": f"{line} {n}", "n": n} for n, line in enumerate(HARMLESS * 15)]
    size = len(json.dumps(rows))
    assert size > 1_000_000
    redactor = Redactor([f"Kn0wn-value-{n}!" for n in range(20)], KEY)
    begin = time.process_time()
    redactor.data(rows)
    assert (time.process_time() - begin) / size * 1_000_000 < 1.0


@pytest.mark.parametrize(
    "absurd",
    [
        *("a" * 10**6, '"' * 10**5, "a:1234:" * 10**5, "password" * 10**5, "secret=" * 10**5, "-----BEGIN " * 50_000),
        *("http://a:" * 50_000, "a." * 300_000, "-" * 300_000, "eyJ-" * 100_000, "password '" * 50_000),
    ],
    ids=lambda text: text[:12],
)
def test_no_text_makes_it_slow(absurd: str) -> None:
    begin = time.process_time()
    NOTHING_KNOWN.text(absurd)
    assert time.process_time() - begin < 3.0


def test_the_key_is_private_and_made_once_also_by_many_at_once(tmp_path: Path) -> None:
    root = tmp_path / "new" / "incidents"
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(key_of(root))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert stat.S_IMODE((root / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in root.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("content", ["", "zz", "00ff", "é"])
def test_a_key_that_is_none_is_an_error_and_is_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(OSError, match="it is no redaction key"):
        key_of(tmp_path)
    assert (tmp_path / KEY_FILE).read_text(encoding="utf-8") == content


def test_a_root_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=os.strerror(20)):
        key_of(tmp_path / "file" / "incidents")
