# SPDX-License-Identifier: GPL-3.0-or-later
"""The sink that stands in for Slack and the pager."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from dhakacart_lab import process
from dhakacart_lab.layout import Layout


def test_it_keeps_what_it_is_sent_and_shows_the_latest_hundred(
    layout: Layout, component: Callable[..., Any], http: Callable[..., Any]
) -> None:
    component("webhook", "dhakacart_lab.webhook")
    url = f"http://{layout.webhook}"

    def up() -> bool:
        try:
            return bool(http(f"{url}/notifications").status == 200)
        except OSError:
            return False

    process.wait_for("webhook", up, timeout=5)
    begin = time.time()
    for number in range(103):
        assert http(f"{url}/notify", "POST", {"text": f"n{number} ঢাকা"}).status == 200
    shown = http(f"{url}/notifications").body
    assert [entry["body"]["text"] for entry in shown] == [f"n{number} ঢাকা" for number in range(3, 103)]
    assert begin <= shown[0]["received"] <= time.time()
    lines = (layout.folder / "notifications.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 103 and json.loads(lines[0])["body"]["text"] == "n0 ঢাকা"
    assert http(f"{url}/notify", "POST").status == 400
    assert http(f"{url}/other", "POST", {}).status == 404
    process.stop(layout, "webhook")
    component("webhook", "dhakacart_lab.webhook")
    process.wait_for("webhook", up, timeout=5)
    assert len(http(f"{url}/notifications").body) == 100
