# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of notifications does not grow for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhakacart_lab import webhook


def test_the_oldest_notifications_go_and_the_latest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "LARGEST_FILE", 2000)
    path = tmp_path / "notifications.jsonl"
    notifications = webhook.Notifications(path)
    for number in range(200):
        notifications.add({"number": number})
        assert path.stat().st_size <= 2100
    numbers = [entry["body"]["number"] for entry in notifications.latest()]
    assert len(numbers) > 10
    assert numbers == list(range(200))[-len(numbers) :]
