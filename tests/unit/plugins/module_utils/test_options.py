# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings from parameters: what is wrong is said in one line that names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.options import build
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql.arguments import Settings, Thresholds


def test_missing_and_none_take_the_default() -> None:
    settings = build(Settings, {"host": "db", "port": None}, "postgresql")
    assert (settings.port, settings.timeout) == (5432, 3.0)


def test_text_from_a_template_is_converted() -> None:
    settings = build(Settings, {"host": "db", "port": "6432", "timeout": "1.5", "sessions": "yes"}, "postgresql")
    assert (settings.port, settings.timeout, settings.sessions) == (6432, 1.5, True)


def test_the_home_folder_is_resolved() -> None:
    assert build(Settings, {"host": "db", "passfile": "~/.pgpass"}, "p").passfile == str(Path.home() / ".pgpass")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "option 'host' is missing"),
        ({"host": ""}, "option 'host' is missing"),
        ({"host": 3}, r"postgresql\.host: expected str, got int"),
        ({"host": "db", "port": "many"}, r"postgresql\.port: expected int"),
        ({"host": "db", "port": True}, r"postgresql\.port: expected int"),
        ({"host": "db", "port": 70000}, r"postgresql\.port: 70000 is no port"),
        ({"host": "db", "timeout": 0}, r"postgresql\.timeout"),
        ({"host": "db", "timeout": "nan"}, r"postgresql\.timeout: expected float"),
        ({"host": "db", "sessions": "perhaps"}, r"postgresql\.sessions: expected bool"),
        ([], "expected dict, got list"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(params: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        build(Settings, params, "postgresql")
    assert "\n" not in str(caught.value)


def test_a_mistyped_threshold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown option 'lag_seconds'"):
        build(Thresholds, {"lag_seconds": 3}, "postgresql.thresholds", strict=True)
