# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test has a state folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(folder))
    return folder
