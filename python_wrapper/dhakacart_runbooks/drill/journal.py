# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a drill: a file that is whole and on the disk after every phase, so that a killed drill is understood.

``<state home>/drills/<id>.json``. A blind drill's journal does not name its scenario before the answer.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import InfrastructureError
from ..paths import state_home

RUNNING, ASKED, INTERRUPTED = "running", "asked", "interrupted"


@dataclass
class Phase:
    """One step of the drill; ``finished`` is None while it lasts, or where the drill was killed in it."""

    name: str
    started: float
    finished: float | None = None
    ok: bool | None = None
    detail: str = ""


@dataclass
class Entry:
    """One drill. Times are epoch seconds.

    :param scenario: empty in a blind drill until its answer.
    :param status: ``running``, ``asked`` (a blind drill that waits for its answer), a verdict, or ``interrupted``.
    :param process: pid and start time of the controller: a number alone may be another process by now.
    :param leash: when the fault ends by itself; None before it is there.
    :param result: the measured figures and the score, once there is one.
    """

    id: str
    scenario: str
    lab: str
    inventory: str
    started: float
    status: str = RUNNING
    finished: float | None = None
    process: tuple[int, float] = (0, 0.0)
    leash: float | None = None
    phases: list[Phase] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    blind: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def folder() -> Path:
    """Where the journals are."""
    return state_home() / "drills"


def new_id(name: str) -> str:
    """A name for a drill that sorts by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{name}-{secrets.token_hex(2)}"


def begin(scenario: str, lab: str, inventory: str, *, blind: bool = False) -> Entry:
    """A new journal, on the disk."""
    entry = Entry(
        id=new_id("blind" if blind else scenario),
        scenario="" if blind else scenario,
        lab=lab,
        inventory=inventory,
        started=time.time(),
        process=here(),
        blind=blind,
    )
    write(entry)
    return entry


def write(entry: Entry) -> None:
    """Replace its file; whole and on the disk when this returns. InfrastructureError where it cannot be written."""
    path = folder() / f"{entry.id}.json"
    temporary = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(entry.to_json(), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InfrastructureError(
            f"the journal cannot be written ({error.strerror})",
            where=str(path),
            remedy="set DHAKACART_STATE_HOME to a folder that can be written",
        ) from None


def entries() -> list[Entry]:
    """Every journal that can be read, oldest first; one that cannot be is an entry of its own that says so."""
    try:
        paths = sorted(folder().glob("*.json"))
    except OSError:
        return []
    return sorted(_read_all(paths), key=lambda entry: entry.started)


def _read_all(paths: list[Path]) -> Iterator[Entry]:
    for path in paths:
        try:
            yield _parse(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            yield Entry(path.stem, "", "", "", 0.0, status="unreadable", note=f"{path}: {type(error).__name__}")


def _parse(found: dict[str, Any]) -> Entry:
    known = {f.name for f in fields(Entry)}
    values = {key: value for key, value in found.items() if key in known}
    values["phases"] = [Phase(**phase) for phase in values.get("phases", [])]
    pid, start = values.get("process", (0, 0.0))
    return Entry(**{**values, "process": (int(pid), float(start))})


def mark_interrupted() -> list[Entry]:
    """Journals of drills whose controller is gone, now marked so; the leash ends what they broke."""
    marked = []
    for entry in entries():
        if entry.status != RUNNING or alive(entry):
            continue
        unfinished = next((phase.name for phase in entry.phases if phase.finished is None), "")
        entry.status = INTERRUPTED
        entry.note = (
            f"its controller died{f' in the phase {unfinished}' if unfinished else ''}; the leash ends its fault"
        )
        write(entry)
        marked.append(entry)
    return marked


def here() -> tuple[int, float]:
    """The calling process, told from every other one."""
    return os.getpid(), _start_time(os.getpid()) or 0.0


def alive(entry: Entry) -> bool:
    """Whether the process that wrote it still runs."""
    pid, start = entry.process
    return pid > 0 and _start_time(pid) == start


def _start_time(pid: int) -> float | None:
    """In clock ticks since boot, as the kernel says; None for no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return float(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
