# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences are readable lines, and secrets in them are digests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from dhakacart_lab.residue import Snapshot, compare, database, kubernetes


def taken(**items: Any) -> Snapshot:
    return Snapshot(100.0, items)


def test_what_is_equal_leaves_nothing() -> None:
    assert compare(taken(a={"b": [1, 2]}), taken(a={"b": [1, 2]})) == []


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"annotation": {}}, {"annotation": {"x": "1"}}, "thing: annotation x: 1 was left behind"),
        ({"annotation": {"x": "1"}}, {}, "thing: annotation: {'x': '1'} is gone"),
        ({"annotation": {"x": "1"}}, {"annotation": {}}, "thing: annotation x: 1 is gone"),
        ({"spec": {"max": 50}}, {"spec": {"max": 3}}, "thing: spec max: was 50, is 3"),
        (["a"], ["a", "b"], "thing: b was left behind"),
        (["a", "b"], ["a"], "thing: b is gone"),
        (["a"], ["a", "a"], "thing: was a, is a, a"),
        (None, {"pods": 1}, "thing: {'pods': 1} was left behind"),
        (True, False, "thing: was True, is False"),
    ],
)
def test_a_difference_says_what_and_where(before: Any, after: Any, line: str) -> None:
    found = compare(taken(**({} if before is None else {"thing": before})), taken(thing=after))
    assert found == [line]


def test_a_long_value_is_cut() -> None:
    (line,) = compare(taken(thing="x" * 500), taken(thing="y"))
    assert len(line) < 150


def test_a_snapshot_survives_a_file() -> None:
    before = taken(thing={"a": [1, None, "x"], "b": {"c": True}})
    assert Snapshot.from_dict(json.loads(json.dumps(before.to_dict()))) == before


def test_a_verifier_is_recognised_by_its_password() -> None:
    salt, rounds = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    verifier = f"SCRAM-SHA-256${rounds}:{base64.b64encode(salt).decode()}${base64.b64encode(stored).decode()}:AAAA"
    assert database.verifies(verifier, "pencil")
    assert not database.verifies(verifier, "pen")
    assert not database.verifies("md5abcdef", "pencil")


def test_a_secret_is_a_digest() -> None:
    assert "pencil" not in kubernetes.digest("pencil")
    assert kubernetes.digest("pencil") != kubernetes.digest("pen")
