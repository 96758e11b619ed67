# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and customer data do not leave in queries or log lines."""

from __future__ import annotations

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.redaction import fingerprint, query_shape, redact


@pytest.mark.parametrize(
    ("query", "shape"),
    [
        ("SELECT * FROM users WHERE email = 'a@b.c' AND id = 42", "SELECT * FROM users WHERE email = ? AND id = ?"),
        ("SELECT 'it''s', E'a\\'b', $$x$$, $t$y$t$", "SELECT ?, ?, ?, ?"),
        ("SELECT 'cut off by the ser", "SELECT ?"),
        ("SELECT 1.5e3 /* user 42 */ -- secret\n, $1", "SELECT ? , $1"),
        ("ALTER ROLE x PASSWORD 'hunter2'", "ALTER ROLE x PASSWORD ?"),
        ("SELECT col1 FROM t2", "SELECT col1 FROM t2"),
        ("", ""),
    ],
)
def test_literals_leave_a_query(query: str, shape: str) -> None:
    assert query_shape(query) == shape


def test_a_long_query_is_cut() -> None:
    assert len(query_shape("SELECT " + "a, " * 500)) == 200


@pytest.mark.parametrize(
    "line",
    [
        'connect password="hunter2" failed',
        "DB_PASSWORD=hunter2",
        '{"token": "hunter2"}',
        "postgres://shop:hunter2@db:5432/dhakacart",
        "Authorization: Bearer hunter2hunter2",
        "sent to hunter2@example.com",
        "secret: hunter2, next",
    ],
)
def test_secrets_leave_a_line(line: str) -> None:
    assert "hunter2" not in redact(line)


def test_a_plain_line_stays() -> None:
    assert redact("  timeout   expired after 5 s ") == "timeout expired after 5 s"


def test_a_fingerprint_depends_on_salt_and_value_only() -> None:
    assert fingerprint("s", "a") == fingerprint("s", "a")
    assert len({fingerprint("s", "a"), fingerprint("s", "b"), fingerprint("t", "a")}) == 3
