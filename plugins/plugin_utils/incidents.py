# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of an incident: what was seen before anything was changed, and what was done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError

OPENING = "opening.json"
TIMELINE = "timeline.jsonl"
# An opening state older than this belongs to another incident.
SAME_INCIDENT_SECONDS = 24 * 3600


def create(root: Path, environment: str, runbook: str, opening: Mapping[str, Any]) -> Path:
    """A new incident folder with its opening state; the folder.

    :raises ConfigurationError: it cannot be written.
    """
    name = f"{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime())}-{environment}-{runbook}"
    folder = root / name
    try:
        folder.mkdir(parents=True, mode=0o700)
        _write(folder / OPENING, json.dumps(dict(opening), indent=1, sort_keys=True))
    except OSError as error:
        raise ConfigurationError(
            f"evidence cannot be written ({error.strerror})", where=str(folder), remedy="set dhakacart_incident_dir"
        ) from None
    return folder


def latest(root: Path, environment: str, runbook: str) -> Path | None:
    """The newest incident folder of this environment and runbook that is still the same incident, or None."""
    folders = sorted(root.glob(f"*-{environment}-{runbook}"))
    if folders and time.time() - folders[-1].stat().st_mtime < SAME_INCIDENT_SECONDS:
        return folders[-1]
    return None


def opening(folder: Path) -> dict[str, Any] | None:
    """The opening state, or None when it is not readable any more."""
    try:
        found = json.loads((folder / OPENING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("findings"), list) else None


def note(folder: Path, **entry: Any) -> None:
    """Append one line to the timeline, on disk before it returns."""
    row = {"time": round(time.time(), 3), **entry}
    with (folder / TIMELINE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
