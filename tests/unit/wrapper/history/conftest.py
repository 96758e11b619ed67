# SPDX-License-Identifier: GPL-3.0-or-later
"""A history of its own for each test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.history import History, RunRow
from dhakacart_runbooks.history.origin import Origin


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder; it does not exist yet."""
    home = tmp_path / "state"
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(home))
    for name in ("DHAKACART_HISTORY_URL", "DHAKACART_HISTORY_DAYS"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def history(home: Path) -> Iterator[History]:
    with History.open() as opened:
        yield opened


@pytest.fixture
def make_run() -> Callable[..., RunRow]:
    """A run of this process that ended well, unless told otherwise."""

    def make(name: str, **values: Any) -> RunRow:
        now = time.time()
        usual = {"runbook": "database-failure", "status": "healthy", "started": now - 2, "heartbeat": now}
        row = {**asdict(Origin.here()), **usual, "environment": "lab", "finished": now, **values}
        return RunRow(id=name, **row)

    return make
