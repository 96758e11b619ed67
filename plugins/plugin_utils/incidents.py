# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which folder belongs to which incident: new ones, the open one, one by its name."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding

OPENING = "opening.json"
TIMELINE = "timeline.jsonl"
REMEDY = "set dhakacart_incident_dir"
MOMENT = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]"
MOST_IN_ONE_SECOND = 20
# An incident in which nothing happened for so long is over, whether somebody closed it or not.
SAME_INCIDENT_SECONDS = 24 * 3600


def create(root: Path, environment: str, runbook: str) -> Path:
    """A new folder, mode 0700, named after the second of now.

    :raises ConfigurationError: it cannot be made.
    """
    try:
        return _new_folder(root, f"{environment}-{runbook}")
    except OSError as error:
        raise ConfigurationError(
            f"the record cannot be written ({error.strerror})", where=str(error.filename or root), remedy=REMEDY
        ) from None


def _new_folder(root: Path, name: str) -> Path:
    """Of two responders in one second the other gets the next one's name."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # there is something, and it is no folder
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root)) from None
    now = time.time()
    for later in range(MOST_IN_ONE_SECOND):
        folder = root / f"{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime(now + later))}-{name}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(root / name))


def latest(root: Path, environment: str, runbook: str, *, instance: str = "", closed: bool = False) -> Path | None:
    """The newest incident of this environment and runbook that is not older than a day and not closed, or None.

    :param instance: which of several environments of one name it is about, e.g. which lab.
    :param closed: also one that is closed: to compare with, or to add what was learnt.
    """
    for folder in _newest_first(root, f"{environment}-{runbook}"):
        if time.time() - _last_sign(folder) >= SAME_INCIDENT_SECONDS:
            return None
        incident, ended, of = _state(folder)
        if incident and of == instance:
            return folder if closed or not ended else None
    return None


def named(root: Path, environment: str, name: str) -> Path:
    """The folder called ``name``.

    :raises ConfigurationError: there is none, or it belongs to another environment.
    """
    known = [path.name for path in _newest_first(root, f"{environment}-*")]
    if name in known:
        return root / name
    recent = f"one of {', '.join(known[:3])}" if known else f"there is none of {environment} under {root}"
    raise ConfigurationError(f"unknown incident {name!r}", where="dhakacart_incident", remedy=recent)


def _newest_first(root: Path, name: str) -> list[Path]:
    # The moment is spelt out: "*-lab" would also find the folders of an environment called "pre-lab".
    return sorted((path for path in root.glob(f"{MOMENT}-{name}") if path.is_dir()), reverse=True)


def _last_sign(folder: Path) -> float:
    """When something happened in it last, in epoch seconds; a report that is written later is no such thing."""
    with contextlib.suppress(OSError):
        return (folder / TIMELINE).stat().st_mtime
    with contextlib.suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def _state(folder: Path) -> tuple[bool, bool, str]:
    """Whether it is an incident, not only the record of a run that read; whether it is closed; of which instance."""
    incident, closed, instance = (folder / OPENING).exists(), False, ""
    for row in timeline(folder):
        if row.get("event") == "opened":
            incident = incident or row.get("incident") is True
            instance = str(row.get("instance") or "")
        closed = closed or row.get("event") == "closed"
    return incident, closed, instance


def timeline(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of a timeline that can be read; one that a dying process cut off is left out."""
    with contextlib.suppress(OSError):
        for row in (folder / TIMELINE).read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(row)
                if isinstance(entry, dict):
                    yield entry


def opening(folder: Path) -> dict[str, Any] | None:
    """The opening state, or None when it is not there or not readable any more."""
    try:
        found = json.loads((folder / OPENING).read_text(encoding="utf-8"))
        if not isinstance(found["findings"], list):
            return None
        for finding in found["findings"]:
            Finding.from_result(finding)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(found)


def is_name(text: str) -> bool:
    """Whether a text has the form of a folder's name; nothing else is looked up on disk."""
    return re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}-[A-Za-z0-9._-]+", text) is not None
