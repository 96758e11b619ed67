# SPDX-License-Identifier: GPL-3.0-or-later
"""A collection in which something is missing."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A collection with one page and, for good, one runbook that is not written."""
    (tmp_path / "galaxy.yml").write_text("namespace: dhakacart\nname: runbooks\nversion: 1.0.0\n")
    (tmp_path / "inventories/common").mkdir(parents=True)
    alerts = "dhakacart_alert_map:\n  DhakaCartSmokeHigh: fire-alarm\n"
    (tmp_path / "inventories/common/platform.yml").write_text(alerts)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks/README.md").write_text(
        "| Runbook | Category | Severity | Written | Open it when |\n|---|---|---|---|---|\n"
        "| Fire Alarm | emergency | P0 | not yet | smoke, flames, the sprinkler sounds in the basement |\n"
        "| [Water Damage](water-damage.md) | operations | P1 | yes | the basement is wet, the fire brigade was here |\n"
        "| Lost Keys | operations | P3 | not yet | a door is locked |\n"
    )
    (tmp_path / "runbooks/water-damage.md").write_text("# Water Damage\n\n## Symptoms\nIt drips.\n")
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/water-damage.yml").write_text("- hosts: all\n  tags: [symptoms]\n  tasks: []\n")
    monkeypatch.setenv("DHAKACART_COLLECTION", str(tmp_path))
