# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of an incident: what was seen before anything was changed, and what was done."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding

OPENING = "opening.json"
TIMELINE = "timeline.jsonl"
REMEDY = "set dhakacart_incident_dir"
MOMENT = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]"
MOST_IN_ONE_SECOND = 20
# An opening state older than this belongs to another incident.
SAME_INCIDENT_SECONDS = 24 * 3600


def worth_keeping(reading: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a reading that an opening state is made of."""
    return {key: reading[key] for key in ("started", "status", "findings", "facts", "seconds") if key in reading}


def create(root: Path, environment: str, runbook: str, opening: Mapping[str, Any]) -> Path:
    """A new incident folder with its opening state; the folder.

    :raises ConfigurationError: it cannot be written.
    """
    folder = root
    try:
        folder = _new_folder(root, f"{environment}-{runbook}")
        _write(folder / OPENING, json.dumps(dict(opening), indent=1, sort_keys=True))
    except OSError as error:
        raise ConfigurationError(
            f"evidence cannot be written ({error.strerror})", where=str(folder), remedy=REMEDY
        ) from None
    return folder


def _new_folder(root: Path, name: str) -> Path:
    """A folder named after the second of now; of two responders in one second the other gets the next one's name."""
    root.mkdir(parents=True, exist_ok=True)
    now = time.time()
    for later in range(MOST_IN_ONE_SECOND):
        folder = root / f"{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime(now + later))}-{name}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(root / name))


def latest(root: Path, environment: str, runbook: str) -> Path | None:
    """The newest incident folder of this environment and runbook that is still the same incident, or None."""
    # The moment is spelt out: "*-lab" would also find the folders of an environment called "pre-lab".
    folders = sorted(path for path in root.glob(f"{MOMENT}-{environment}-{runbook}") if path.is_dir())
    if folders and time.time() - folders[-1].stat().st_mtime < SAME_INCIDENT_SECONDS:
        return folders[-1]
    return None


def opening(folder: Path) -> dict[str, Any] | None:
    """The opening state, or None when it is not readable any more."""
    try:
        found = json.loads((folder / OPENING).read_text(encoding="utf-8"))
        if not isinstance(found["findings"], list):
            return None
        for finding in found["findings"]:
            Finding.from_result(finding)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(found)


def note(folder: Path, **entry: Any) -> None:
    """Append one line to the timeline, on disk before it returns.

    :raises ConfigurationError: it cannot be written.
    """
    row = {"time": round(time.time(), 3), **entry}
    path = folder / TIMELINE
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigurationError(
            f"the timeline cannot be written ({error.strerror})", where=str(path), remedy=REMEDY
        ) from None


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
