# SPDX-License-Identifier: GPL-3.0-or-later
"""What is typed after ``-e`` and ``--timeout``."""

from __future__ import annotations

from typing import Any

import pytest
from dhakacart_runbooks.cli.options import duration, variables
from dhakacart_runbooks.errors import UsageError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], {}),
        (["a=1"], {"a": "1"}),
        (["a=b=c"], {"a": "b=c"}),
        (["a="], {"a": ""}),
        (["a=1 b='two words'"], {"a": "1", "b": "two words"}),
        (['{"a": true, "b": [1]}'], {"a": True, "b": [1]}),
        (["a=1", "a=2"], {"a": "2"}),
    ],
)
def test_variables_are_read_as_ansible_reads_them(given: list[str], meant: dict[str, Any]) -> None:
    assert variables(given) == meant


@pytest.mark.parametrize("given", ["a", "=1", "a b=1", "1a=2", "a-b=1", "", "'a=1", "{a: 1}", "{", "@file.yml"])
def test_a_malformed_variable_is_one_line_with_the_form_it_wants(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        variables([given])
    assert str(caught.value).startswith("-e: ")
    assert "; remedy: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [(None, None), ("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("1m30s", 90), ("0.5", 0.5)],
)
def test_durations_are_said_as_people_say_them(typed: str | None, seconds: float | None) -> None:
    assert duration(typed) == seconds


@pytest.mark.parametrize("typed", ["", "0", "0s", "soon", "-5", "10x", "m", "nan", "inf"])
def test_what_is_no_duration_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="--timeout: "):
        duration(typed)
