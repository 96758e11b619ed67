# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what is broken now. It holds the true cause, so plays and checks never read it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..layout import LabError, Layout


@dataclass(frozen=True)
class ActiveFault:
    """A fault that was injected and not healed yet. Times are epoch seconds."""

    name: str
    cause: str
    injected: float
    expires: float
    undo: Mapping[str, Any] = field(default_factory=dict)

    @property
    def expired(self) -> bool:
        return time.time() >= self.expires


def record(layout: Layout, fault: ActiveFault) -> None:
    """Keep it on disk before the fault is injected, so that a killed injection is healed too."""
    layout.faults.mkdir(parents=True, exist_ok=True)
    layout.faults.parent.chmod(0o700)
    path = layout.faults / f"{fault.name}.json"
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(fault), file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def forget(layout: Layout, name: str) -> None:
    (layout.faults / f"{name}.json").unlink(missing_ok=True)


def active(layout: Layout) -> list[ActiveFault]:
    """What is broken now, oldest first."""
    found = [fault for path in layout.faults.glob("*.json") if (fault := _read(path))]
    return sorted(found, key=lambda fault: fault.injected)


def _read(path: Path) -> ActiveFault | None:
    try:
        return ActiveFault(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:  # healed meanwhile
        return None
    except (ValueError, TypeError) as error:
        raise LabError(f"{path}: not a record of a fault ({error}); remedy: remove it, then runbook lab heal") from None
